"""Each way in which a dataset can break its contract: what the report and the message say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.folders import Run
from tests.training.tables import Table, diabetes, mixed, to_csv

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
    ("column", "text", "sentence"),
    [
        ("amount", "12€", "amount in a.csv, line 17: '12€' is not a number."),
        ("amount", "-5", "amount in a.csv, line 17: '-5' is below the minimum 0."),
        ("amount", "20000", "amount in a.csv, line 17: '20000' is above the maximum 10000."),
        ("ratio", "NaN", "ratio in a.csv, line 17: 'NaN' is not a finite 32-bit number."),
        ("opened", "soon", "opened in a.csv, line 17: 'soon' is not an ISO 8601 date or time."),
        ("size", "XL", "size in a.csv, line 17: 'XL' is not one of 'S', 'M', 'L'."),
        ("size", " ", "size in a.csv, line 17: a value is required."),
        ("outcome", "", "outcome in a.csv, line 17: a value is required."),
    ],
)
def test_a_value_that_breaks_its_rule_is_named_with_its_line(
    tmp_path: Path, column: str, text: str, sentence: str
) -> None:
    _, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(altered(mixed(), 17, column, text))})
    assert message == f"Data: {sentence}"


def test_a_regression_target_must_be_a_number(tmp_path: Path) -> None:
    table = diabetes()
    _, message = report(tmp_path, table, {"a.csv": table.csv(altered(table, 3, "progression", "high"))})
    assert message == "Data: progression in a.csv, line 3: 'high' is not a number."


def test_a_problem_is_told_once_with_its_count_and_all_problems_at_once(tmp_path: Path) -> None:
    rows = altered(mixed(), 5, "amount", "x")
    rows = altered(replace(mixed(), rows=tuple(rows)), 9, "amount", "y")
    rows = altered(replace(mixed(), rows=tuple(rows)), 6, "size", "XL")
    document, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})
    first, second = document["problems"]
    assert (first["check"], first["column"], first["line"], first["example"], first["count"]) == (
        "not_a_number", "amount", 5, "'x'", 2,
    )  # fmt: skip
    assert (second["check"], second["line"]) == ("not_in_set", 6)
    assert message == (
        "Data: 2 problems, all of them in report.json. "
        "(1) amount in a.csv, line 5: 'x' is not a number (2 rows, this is the first). "
        "(2) size in a.csv, line 6: 'XL' is not one of 'S', 'M', 'L'."
    )


@pytest.mark.parametrize(
    ("content", "check", "line"),
    [
        ("", "empty_file", None),
        (",".join(mixed().header) + "\n", "header_only", 1),
        ("amount,colour\n1,red\n", "missing_column", 1),
        ("amount," + mixed().csv(), "duplicate_column", 1),
        (mixed().csv() + '1,"never closed\n', "not_csv", LINES + 1),
        (mixed().csv() + "1,\udcff\n", "undecodable", None),
    ],
)
def test_a_file_that_is_no_such_table(tmp_path: Path, content: str, check: str, line: int | None) -> None:
    document, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(), "b.csv": content})
    (problem,) = [p for p in document["problems"] if p["check"] == check]
    assert problem["file"] == "b.csv"
    assert line is None or problem["line"] == line
    assert "b.csv" in message
    assert ".." not in message


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(), "notes.pdf": "hello"})
    assert message.startswith("Data: notes.pdf: The name ends in '.pdf'; a table's ends in .csv, .tsv,")


def test_ragged_rows_are_named_by_line_and_blank_lines_are_none(tmp_path: Path) -> None:
    lines = mixed().csv().splitlines()
    lines[9:9] = ["", "1,2"]
    document, _ = report(tmp_path, mixed(), {"a.csv": "\n".join(lines)})
    (problem,) = document["problems"]
    assert (problem["check"], problem["line"]) == ("wrong_field_count", 11)


def test_lines_are_counted_through_values_of_several_lines(tmp_path: Path) -> None:
    rows = altered(mixed(), 3, "colour", "two\nlines")
    rows = altered(replace(mixed(), rows=tuple(rows)), 4, "amount", "x")
    document, _ = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})
    assert document["problems"][0]["line"] == 5


@pytest.mark.parametrize(
    ("rows", "options", "check"),
    [
        (slice(0, 50), {}, "too_few_rows"),
        (slice(0, 600), {"maximum_missing_share": 0.01}, "too_many_missing"),
    ],
)
def test_limits_of_the_whole_dataset(
    tmp_path: Path, rows: slice, options: dict[str, Any], check: str
) -> None:
    table = mixed().with_training(**options)
    document, _ = report(tmp_path, table, {"a.csv": table.csv(table.rows[rows])})
    assert check in {problem["check"] for problem in document["problems"]}


def test_repeated_rows_are_limited(tmp_path: Path) -> None:
    rows = [*mixed().rows[:200], *mixed().rows[:200], *mixed().rows[:200]]
    document, message = report(tmp_path, mixed(), {"a.csv": mixed().csv(rows)})
    assert document["duplicate_rows"] == 400
    assert message == (
        "Data: 67% of the rows repeat the features of another; training.maximum_duplicate_share is 50%."
    )


@pytest.mark.parametrize(
    ("outcomes", "checks"),
    [
        (("no",), {"no_positive", "one_class"}),
        (("no", "maybe"), {"no_positive"}),
        (("no", "yes", "maybe"), {"not_binary"}),
    ],
)
def test_classes_of_a_binary_target(tmp_path: Path, outcomes: tuple[str, ...], checks: set[str]) -> None:
    rows = [(*row[:-1], outcomes[i % len(outcomes)]) for i, row in enumerate(mixed().rows)]
    document, _ = report(tmp_path, mixed(), {"a.csv": to_csv([mixed().header, *rows])})
    assert {problem["check"] for problem in document["problems"]} == checks


def test_a_class_with_few_rows_is_named(tmp_path: Path) -> None:
    rows = [(*row[:-1], "high" if i < 3 else row[-1]) for i, row in enumerate(mixed("multiclass").rows)]
    rows = [row for i, row in enumerate(rows) if i < 3 or row[-1] != "high"]
    _, message = report(tmp_path, mixed("multiclass"), {"a.csv": mixed().csv(rows)})
    assert message == "Data: outcome: 3 rows of 'high'; a class needs 10 at least."


def test_an_empty_dataset(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {})
    assert message == "Data: the dataset has no file."


def test_a_long_message_is_cut_to_what_sagemaker_keeps(tmp_path: Path) -> None:
    _, message = report(tmp_path, mixed(), {f"{'ü' * 60}{i}.csv": "" for i in range(30)})
    assert 1000 < len(message.encode()) <= 1024
    assert message.endswith("…")
