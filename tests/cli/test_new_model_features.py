"""What a column of a table becomes in model.toml, or why it is left out."""

from __future__ import annotations

from typing import Any

import pytest

from cli.new_model.make import Made
from tests.cli.tables import ROWS, Make, feature, with_x


def hints(made: Made, column: str) -> str:
    """All hints about a column, a line each."""
    return "\n".join(str(hint) for hint in made.hints if hint.column == column)


def omitted(made: Made) -> dict[str, str]:
    return {draft.name: draft.omitted for draft in made.document.drafts if draft.omitted}


AMOUNTS = [f"{i / 7:.3f}" for i in range(ROWS - 8)]
"""So many different numbers that a word among them is none of their kind."""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5", "3e2"], {"type": "number"}),
        (["-1", "0", "7"], {"type": "number"}),
        (["1", "", "2"], {"type": "number"}),
        (["1", "?", "2", "NA"], {"type": "number", "missing": ["?", "NA"]}),
        (["1", "2", " 3 ", "N/A "], {"type": "number", "missing": ["N/A"]}),
        ([*map(str, range(1, 20)), "none"], {"type": "number", "missing": ["none"]}),
        ([*map(str, range(1, 20)), "inf"], {"type": "number", "missing": ["inf"]}),
        (["1", "2", "(null)", "#DIV/0!"], {"type": "number", "missing": ["#DIV/0!", "(null)"]}),
        ([*AMOUNTS, *["None"] * 8], {"type": "number", "missing": ["None"]}),
        ([*AMOUNTS, *["\\N"] * 8], {"type": "number", "missing": ["\\N"]}),
        ([*AMOUNTS, *["<NA>", "NaT"] * 4], {"type": "number", "missing": ["<NA>", "NaT"]}),
        ([*AMOUNTS, *["keine Angabe"] * 8], {"type": "number", "missing": ["keine Angabe"]}),
        (["4", "6", "8", "rotary"], {"type": "category"}),
        (["a", "b", "?"], {"type": "category", "missing": ["?"]}),
        (["a", "b", "-"], {"type": "category", "missing": ["-"]}),
        (["a", "none"], {"type": "category"}),
        (["DE", "FR", "NA", "US"], {"type": "category"}),
        (["Germany", "France", "NA"], {"type": "category", "missing": ["NA"]}),
        (["yes", "no"], {"type": "category", "values": ["no", "yes"]}),
        (["True", "False"], {"type": "category", "values": ["False", "True"]}),
        (["TRUE", "FALSE", "true"], {"type": "category", "values": ["FALSE", "TRUE"]}),
        (["true", "", "false"], {"type": "category", "values": ["false", "true"]}),
        (["01067", "80331"], {"type": "category"}),
        (["1_000", "2_000"], {"type": "category"}),
        (["1,5", "2,5"], {"type": "category"}),
        (["2024-01-02", "2024-02-03T04:05:06Z", "null"], {"type": "datetime", "missing": ["null"]}),
        (["2024-01-02", "2024-02-03", "None", "NaT"], {"type": "datetime", "missing": ["NaT", "None"]}),
        (["2024-01-02", "2024-02-03", "0000-00-00"], {"type": "datetime", "missing": ["0000-00-00"]}),
        (["20240102", "20240203"], {"type": "number"}),
        ([f"202401{day:02}" for day in range(1, 21)], {"type": "datetime"}),
        ([f"202401{day:02}" for day in range(20, 40)], {"type": "number"}),
        (
            [f"the {i}th patient felt better" for i in range(ROWS - 1)] + ["n/a"],
            {"type": "text", "missing": ["n/a"]},
        ),
        (["these are few words", "and so are these"], {"type": "category"}),
        (["1e999", "1"], {"type": "category"}),
    ],
)
def test_what_a_column_becomes(make: Make, values: list[str], expected: dict[str, Any]) -> None:
    assert feature(make(with_x(values))) == expected


@pytest.mark.parametrize(("name", "kind"), [("zip", "category"), ("shop_id", "category"), ("size", "number")])
def test_whole_numbers_that_are_called_as_codes_are(make: Make, name: str, kind: str) -> None:
    made = make({name: [60601, 10001, 94105, 60601] * (ROWS // 4), **with_x([1, 2])})

    assert feature(made, name)["type"] == kind
    assert ('type = "number" if it is an amount' in hints(made, name)) == (kind == "category")


@pytest.mark.parametrize(
    ("values", "rows", "expected"),
    [([0, 1, 7], 400, True), ([0, 1, 7], 39, False), ([0.5, 0, 7], 400, False), ([17, 80, 33], 400, False)],
)
def test_a_bound_is_guessed_of_counts_in_many_rows_and_marked_as_a_guess(
    make: Make, values: list[float], rows: int, *, expected: bool
) -> None:
    made = make({"x": values * rows, "y": ["no", "yes", "no"] * rows})

    assert ("min" in feature(made)) is expected
    assert ("min is a guess: no row was below" in made.path.read_text()) is expected
    assert ("min = 0 is a guess" in hints(made, "x")) is expected


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["-999", "12", "15.5", "3"], 'the lowest number is -999, in 25% of the rows: missing = ["-999"]'),
        (["9999", "12", "15.5", "3"], 'the highest number is 9999, in 25% of the rows: missing = ["9999"]'),
        (["-9", "12", "9", "3"], 'the lowest number is -9, in 25% of the rows: missing = ["-9"]'),
        (["-9", "-12", "9", "3"], ""),
        (["999", "998", "1001", "3"], ""),
    ],
)
def test_a_number_that_stands_for_no_value_is_suspected(make: Make, values: list[str], found: str) -> None:
    assert found in hints(make(with_x(values)), "x")
    assert bool(hints(make(with_x(values), name="again"), "x")) == bool(found)


def test_a_code_that_looks_like_a_marker_is_named(make: Make) -> None:
    assert 'missing = ["NA"] if it means no value' in hints(make(with_x(["DE", "FR", "NA", "US"])), "x")


def test_values_apart_only_by_case_are_named(make: Make) -> None:
    made = make(with_x(["Male", "male", "Female", "Female"]))

    assert 'values apart only by case, "Male", "male": write one' in hints(made, "x")


def test_what_may_be_dates_is_said(make: Make) -> None:
    assert (
        'to 20240203; type = "datetime" if these are dates'
        in make(with_x([20240102, 20240203])).path.read_text()
    )


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (list(range(ROWS)), "numbers the rows"),
        (list(range(ROWS, 0, -1)), "numbers the rows"),
        (
            [*AMOUNTS, "a", "b", "c", "d", *["e"] * 4],
            'numbers but for "e", "a", "b", "c", …: write a number or nothing in every row',
        ),
        ([f"{i:032x}" for i in range(ROWS)], "has its own value in almost every row"),
        (["same"], 'is "same" in every row'),
        (["", "?"], "holds no value"),
        (["rare", *[""] * (ROWS - 1)], "missing in 98% of the rows"),
    ],
)
def test_what_is_left_out_and_why(make: Make, values: list[Any], reason: str) -> None:
    made = make(with_x(values))

    assert omitted(made) == {"x": reason}
    assert f"# {reason}" in made.path.read_text()
    assert "\n# x = { type = " in made.path.read_text()


def test_a_column_that_results_would_overwrite_is_left_out(make: Make) -> None:
    made = make({**with_x([1, 2]), "prediction": ["a", "b"] * (ROWS // 2)})

    assert omitted(made) == {"prediction": "results add a column of this name"}


def test_an_identifier_is_offered_as_the_rows_name(make: Make) -> None:
    text = make({"id": list(range(ROWS)), **with_x([1, 2])}).path.read_text()

    assert '# [row_id]  # if this column names your rows\n# name = "id"' in text


def test_names_that_toml_must_quote(make: Make) -> None:
    awkward = 'größe "in" cm.\\ #'

    assert feature(make({awkward: [1, 2] * 20, "y": ["a", "b"] * 20}), awkward) == {"type": "number"}


@pytest.mark.parametrize(("sentences", "hinted"), [(25, True), (4, False)])
def test_sentences_that_come_again_are_a_category_that_may_be_text(
    make: Make, sentences: int, hinted: bool
) -> None:
    rows = 60
    said = [f"please send invoice number {i % sentences} once more" for i in range(rows)]
    made = make({"x": said, "y": ["no", "yes"] * (rows // 2)})

    assert feature(made)["type"] == "category"
    assert ('type = "text" if it is the words that matter' in made.path.read_text()) is hinted


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["37.15%", "9.24%", "5%"], 'percentages, such as "37.15%": write 37.15'),
        (["5,20 %", "1,5 %"], 'percentages, such as "5,20 %": write 5.20'),
        (["$4,910.50", "$12", "$3,648.00"], 'amounts of money, such as "$4,910.50": write 4910.50'),
        (["1.234,56 €", "12,00 €"], 'amounts of money, such as "1.234,56 €": write 1234.56'),
        (["1 234,50 kr", "99,00 kr"], 'amounts of money, such as "1 234,50 kr": write 1234.50'),
        (["(1,234.00)", "(12.00)", "56.00"], 'numbers with separators, such as "(1,234.00)": write -1234.00'),
        (["4044,69", "500,97"], 'numbers with a decimal comma, such as "4044,69": write 4044.69'),
        (["1.234.567", "12.345.678"], 'numbers with separators, such as "12.345.678": write 12345678'),
        (["1,234,567", "12,345", "733"], 'numbers with separators, such as "1,234,567": write 1234567'),
        (["29,821", "14,426"], '"29,821": write 29821, or 29.821 if its comma is a decimal one'),
        (["12'345", "9'876.5"], "write 9876.5"),
        (["12 kg", "7.5 kg"], 'numbers with a unit (kg), such as "7.5 kg": write 7.5'),
        (["１２", "３４"], "write 34"),
        (["01:30:00", "12:05:59"], "times or durations"),
        (["5/13/2024", "12/1/2024"], 'dates, such as "12/1/2024": write 2024-05-31'),
        (["13.05.2024", "01.12.2024 10:30"], "dates"),
        (["2024/05/13", "2024/12/01"], "dates"),
        (["13-May-2024", "1-Dez-2024"], "dates"),
        (["May 13, 2024", "Dec 1, 2024"], "dates"),
        (["Mon, 13 May 2024 10:00:00 GMT", "Tue, 14 May 2024 10:00:00 GMT"], "dates"),
        (["5/13/24 9:30 PM", "12/1/24 10:00 AM"], "dates"),
        (["2024-05-13 10:00:00 UTC", "2024-05-14 10:00:00 UTC"], "times with a zone's name"),
        (["2024-05-13T10:00+02:00[Europe/Berlin]", "2024-05-14 10:00 Europe/Berlin"], "times with a zone's name"),
        (["2024-05", "2024-12"], "months"),
        (["2024Q1", "2024Q2"], "quarters"),
        (["1.2.3", "1.10.4"], ""),
        (["12 kg", "7 lb"], ""),
        (["A12", "B13"], ""),
        (["12/2024/31", "x"], ""),
        (["45.46.2024", "99.99.2024"], ""),
    ],
)  # fmt: skip
def test_what_is_written_in_a_local_way_is_recognised_and_said(
    make: Make, values: list[str], found: str
) -> None:
    text = hints(make(with_x(values)), "x")

    assert found in text
    assert bool(text) == bool(found)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("{0},5", "numbers with a decimal comma, such as"),
        ("${0}", "amounts of money"),
        ("{1:02}.01.2024 {2:02}:00", "dates"),
    ],
)
def test_local_writings_with_many_values_are_left_out_and_are_no_row_ids(
    make: Make, form: str, reason: str
) -> None:
    made = make(with_x([form.format(i * 37, i % 28 + 1, i % 24) for i in range(ROWS)]))

    assert omitted(made)["x"].startswith(reason)
    assert "[row_id]" not in made.path.read_text()
