"""Each way in which a dataset can break its contract: what the report and the message say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.schema import Problem
from tabular.samples import Samples
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, diabetes, mixed, to_csv

LINES = 601


def report(folder: Path, table: Table, files: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """The report, and the message of the job if it failed."""
    job = Run(folder, table).validate(files)
    code = job.run("validate")
    document = job.document("processing/output/report/report.json")
    assert document["passed"] == (code == 0)
    return document, "" if code == 0 else job.message()


def altered(table: Table, line: int, column: str, text: str) -> list[tuple[str, ...]]:
    """The table's rows with one value written otherwise; `line` is its line in the file."""
    rows = [list(row) for row in table.rows]
    rows[line - 2][table.header.index(column)] = text
    return [tuple(row) for row in rows]


def test_a_sound_dataset_is_counted(tmp_path: Path) -> None:
    table = mixed()
    document, _ = report(
        tmp_path, table, {"a.csv": table.csv(table.rows[:400]), "b.csv": table.csv(table.rows[400:])}
    )
    assert document["files"] == {"a.csv": 400, "b.csv": 200}
    assert document["rows"] == 600
    assert document["missing"]["colour"] == sum(row[1] == "?" for row in table.rows)
    assert sum(document["classes"].values()) == 600


@pytest.mark.parametrize(
    ("column", "text", "what", "do"),
    [
        ("amount", "12€", "'12€' is not a number", "Write amount as plain numbers, or name this text in its missing"),
        ("amount", "-5", "'-5' is below the minimum 0", "Correct it, or lower the min of amount in [features]"),
        ("amount", "20000", "'20000' is above the maximum 10000", "Correct it, or raise the max of amount in [features]"),
        ("ratio", "NaN", "'NaN' is not a finite 32-bit number", "Leave ratio empty where there is no value"),
        ("opened", "soon", "'soon' is not an ISO 8601 date or time", "Write opened as ISO 8601, such as 2024-05-31T10:00"),
        ("size", "XL", "'XL' is not one of 'S', 'M', 'L'", "Correct it, or add it to the values of size in [features]"),
        ("size", " ", "a value is required", "Fill it in, or remove required from size in [features]"),
    ],
)  # fmt: skip
def test_a_value_that_breaks_its_rule_is_named_with_its_line_and_a_remedy(
    tmp_path: Path, column: str, text: str, what: str, do: str
) -> None:
    _, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(altered(mixed(), 17, column, text))})
    assert message == f"Data: values: {column} in a.csv, line 17: {what}. {do}."


def test_a_regression_target_must_be_a_number(tmp_path: Path) -> None:
    table = diabetes()
    _, message = report(tmp_path, table, {"a.csv": table.csv(altered(table, 3, "progression", "high"))})
    assert message == (
        "Data: values: progression in a.csv, line 3: 'high' is not a number. "
        "Write progression as plain numbers, or name this text in missing of [target]."
    )


def unlabelled(table: Table, rows: int, marker: str = "") -> str:
    """A table whose first rows have a marker for a target, and a broken value beside it."""
    return table.csv(
        [("broken", *row[1:-1], marker) if i < rows else row for i, row in enumerate(table.rows)]
    )


@pytest.mark.parametrize("problem", ["binary", "regression"])
def test_rows_without_a_target_are_set_aside_with_all_that_is_in_them(
    tmp_path: Path, problem: Problem
) -> None:
    given = mixed(problem)
    target = replace(given.contract.target, missing=("NA",))
    given = replace(given, contract=replace(given.contract, target=target))
    files = {"a.csv": unlabelled(given, 3), "b.csv": unlabelled(given, 2, "NA")}

    document, _ = report(tmp_path, given, files)

    assert (document["rows"], document["unlabelled_rows"], document["sound_rows"]) == (1200, 5, 1195)
    prepared = Run(tmp_path, given).prepare(files)
    assert prepared.run("prepare") == 0
    assert (
        sum(len(Samples.read(prepared.output(side), given.contract)) for side in ("train", "holdout")) == 1195
    )


def test_a_dataset_that_lost_its_labels_stops(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {"a.csv": unlabelled(mixed(), 301)})

    assert message == (
        "Data: unlabelled: outcome: 301 rows (50.2%) have none, and nothing is learned from them. "
        "Fill it in, or allow more rows without one with unlabelled.maximum in [validation]."
    )


def test_a_marker_among_labels_is_no_class_to_be_learned_by_accident(tmp_path: Path) -> None:
    rows = altered(mixed(), 3, "outcome", "NA")

    _, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})

    assert "name those that mean no label in missing of [target]" in message


def test_a_problem_is_told_once_with_its_count_and_all_problems_at_once(tmp_path: Path) -> None:
    rows = altered(mixed(), 5, "amount", "x")
    rows = altered(replace(mixed(), rows=tuple(rows)), 9, "amount", "y")
    rows = altered(replace(mixed(), rows=tuple(rows)), 6, "size", "XL")
    document, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})
    first, second = document["problems"]
    assert (first["code"], first["column"], first["place"], first["example"], first["count"]) == (
        "not_a_number", "amount", 5, "'x'", 2,
    )  # fmt: skip
    assert (second["code"], second["place"]) == ("not_in_set", 6)
    assert message == (
        "Data: 2 problems, all of them in report.html. "
        "(1) values: amount in a.csv, line 5: 'x' is not a number (2 rows, this is the first). "
        "Write amount as plain numbers, or name this text in its missing. "
        "(2) values: size in a.csv, line 6: 'XL' is not one of 'S', 'M', 'L'. "
        "Correct it, or add it to the values of size in [features]."
    )


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ("", "empty_file", None),
        (",".join(mixed().header) + "\n", "header_only", 1),
        ("amount,colour\n1,red\n", "missing_column", 1),
        ("amount," + mixed().csv(), "duplicate_column", 1),
        (mixed().csv() + '1,"never closed\n', "not_csv", LINES + 1),
        (mixed().csv() + "1,\udcff\n", "undecodable", None),
    ],
)
def test_a_file_that_is_no_such_table(tmp_path: Path, content: str, code: str, line: int | None) -> None:
    document, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(), "b.csv": content})
    (problem,) = document["problems"]
    assert (problem["check"], problem["code"], problem["file"]) == ("schema", code, "b.csv")
    assert line is None or problem["place"] == line
    assert "b.csv" in message
    assert ".." not in message


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(), "notes.pdf": "hello"})
    assert message.startswith(
        "Data: schema: notes.pdf: The name ends in '.pdf'; a table's ends in .csv, .tsv,"
    )


def test_ragged_rows_are_named_by_line_and_blank_lines_are_none(tmp_path: Path) -> None:
    lines = mixed().csv().splitlines()
    lines[9:9] = ["", "1,2"]
    document, _ = report(tmp_path, mixed(), {"a.csv": "\n".join(lines)})
    (problem,) = document["problems"]
    assert (problem["code"], problem["place"]) == ("wrong_field_count", 11)


def test_lines_are_counted_through_values_of_several_lines(tmp_path: Path) -> None:
    rows = altered(mixed(), 3, "colour", "two\nlines")
    rows = altered(replace(mixed(), rows=tuple(rows)), 4, "amount", "x")
    document, _ = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})
    assert document["problems"][0]["place"] == 5


@pytest.mark.parametrize(
    ("outcomes", "sentences"),
    [
        (("no",), ["Every row has the same value, 'no'", "No row has the positive 'yes'; found 'no'"]),
        (("no", "maybe"), ["No row has the positive 'yes'; found 'maybe', 'no'"]),
        (("no", "yes", "maybe"), ["3 values ('maybe', 'no', 'yes'), and a binary problem has two"]),
    ],
)
def test_classes_of_a_binary_target(tmp_path: Path, outcomes: tuple[str, ...], sentences: list[str]) -> None:
    rows = [(*row[:-1], outcomes[i % len(outcomes)]) for i, row in enumerate(mixed().rows)]
    document, _ = report(tmp_path, mixed(), {"a.csv": to_csv([mixed().header, *rows])})
    assert [problem["message"] for problem in document["problems"]] == sentences
    assert {problem["check"] for problem in document["problems"]} == {"target"}


def test_a_class_with_few_rows_is_named(tmp_path: Path) -> None:
    rows = [(*row[:-1], "high" if i < 3 else row[-1]) for i, row in enumerate(mixed("multiclass").rows)]
    rows = [row for i, row in enumerate(rows) if i < 3 or row[-1] != "high"]
    _, message = report(tmp_path, mixed("multiclass"), {"a.csv": mixed().csv(rows)})
    assert message == (
        "Data: class_rows: outcome: 3 rows of 'high'; to learn a class and to test on it takes 10. "
        "Add rows of it, or leave its rows out."
    )


def test_an_empty_dataset(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {})
    assert message == "Data: schema: The dataset has no file. Upload a table under training/."


def test_a_long_message_is_cut_to_what_sagemaker_keeps(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {f"{'ü' * 60}{i}.csv": "" for i in range(30)})
    assert 1000 < len(message.encode()) <= 1024
    assert message.endswith("…")
