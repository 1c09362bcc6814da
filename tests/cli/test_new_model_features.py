"""What a column of a table becomes in model.toml, or why it is left out."""

from __future__ import annotations

from typing import Any

import pytest

from cli.new_model.make import Made
from tests.cli.tables import ROWS, Make, feature, with_x


def omitted(made: Made) -> dict[str, str]:
    return {draft.name: draft.omitted for draft in made.document.drafts if draft.omitted}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "2.5", "3e2"], {"type": "number", "min": 0}),
        (["-1", "0", "7"], {"type": "number"}),
        (["1", "", "2"], {"type": "number", "min": 0}),
        (["1", "?", "2", "NA"], {"type": "number", "min": 0, "missing": ["?", "NA"]}),
        (["1", "2", " 3 ", "N/A "], {"type": "number", "min": 0, "missing": ["N/A"]}),
        ([*map(str, range(1, 20)), "none"], {"type": "number", "min": 0, "missing": ["none"]}),
        ([*map(str, range(1, 20)), "inf"], {"type": "number", "min": 0, "missing": ["inf"]}),
        (["a", "b", "?"], {"type": "category", "missing": ["?"]}),
        (["a", "b", "-"], {"type": "category", "missing": ["-"]}),
        (["a", "none"], {"type": "category"}),
        (["yes", "no"], {"type": "category", "values": ["no", "yes"]}),
        (["01067", "80331"], {"type": "category"}),
        (["1_000", "2_000"], {"type": "category"}),
        (["1,5", "2,5"], {"type": "category"}),
        (["2024-01-02", "2024-02-03T04:05:06Z", "null"], {"type": "datetime", "missing": ["null"]}),
        (["20240102", "20240203"], {"type": "number", "min": 0}),
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
        ([f"{i:032x}" for i in range(ROWS)], "has its own value in almost every row"),
        ([f"{i % 28 + 1:02}/{i // 28 + 1:02}/2024" for i in range(ROWS)], "dates, but not as 2024-05-01"),
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

    assert feature(make({awkward: [1, 2] * 20, "y": ["a", "b"] * 20}), awkward) == {
        "type": "number",
        "min": 0,
    }


@pytest.mark.parametrize(("sentences", "hinted"), [(25, True), (4, False)])
def test_sentences_that_come_again_are_a_category_that_may_be_text(
    make: Make, sentences: int, hinted: bool
) -> None:
    rows = 60
    said = [f"please send invoice number {i % sentences} once more" for i in range(rows)]
    made = make({"x": said, "y": ["no", "yes"] * (rows // 2)})

    assert feature(made)["type"] == "category"
    assert ('type = "text" if it is the words that matter' in made.path.read_text()) is hinted
