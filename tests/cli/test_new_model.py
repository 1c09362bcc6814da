"""`new-model`: names, files and real tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text

from cli.kit import samples
from cli.kit.errors import CliError
from cli.new_model.command import MAX_HINTS, summary
from cli.new_model.make import new_model
from infra.settings import load_model
from tests.cli.tables import ROWS, Make, with_x


@pytest.mark.parametrize("name", ["", "Income", "in come", "1st", "a--b", "a-", "a" * 25, "../x", "größe"])
def test_names_that_aws_would_refuse(make: Make, name: str) -> None:
    with pytest.raises(CliError, match="cannot be a model's name"):
        make(with_x([1, 2]), name=name)


def test_a_model_is_never_overwritten(make: Make) -> None:
    made = make(with_x([1, 2]))
    before = made.path.read_bytes()

    with pytest.raises(CliError, match="there is a model mine already"):
        make(with_x([3, 4]))
    assert made.path.read_bytes() == before


def test_nothing_is_written_where_something_is_wrong(make: Make, tmp_path: Path) -> None:
    with pytest.raises(CliError):
        make({**with_x([1, 2]), "y": ["a"] * ROWS})

    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("table", "problem"),
    [(samples.tumors, "binary"), (samples.cultivars, "multiclass"), (samples.progressions, "regression")],
)
def test_scikit_learns_tables(
    make: Make, tmp_path: Path, table: Callable[[], tuple[list[str], samples.Rows]], problem: str
) -> None:
    header, rows = table()
    samples.write_csv(tmp_path / "table.csv", header, rows)

    new_model("real", tmp_path / "table.csv", column=header[-1], root=tmp_path)
    model = load_model(tmp_path, "real")

    assert model.problem == problem
    assert list(model.features) == header[:-1]


def test_the_demo_table_is_that_of_the_model(root: Path) -> None:
    header, rows = samples.tumors()

    model = load_model(root, "tumor")

    assert [*model.features, model.target.name] == header
    assert {row[-1] for row in rows} == {"malignant", "benign"}


@pytest.mark.parametrize("name", ["0.5", "39", "2024-01-01 01:19:00"])
def test_a_file_without_a_header_line_is_suspected(make: Make, name: str) -> None:
    columns = {name: [1, 2] * (ROWS // 2), **with_x([1, 2])}

    first, *_ = make(columns).hints
    assert (first.column, first.write) == (name, "does the file lack a header line?")
    with pytest.raises(CliError, match=r"has no column 'z': .* does the file lack a header line"):
        make(columns, name="other", target="z")


def test_an_index_column_without_a_name_is_no_missing_header(make: Make) -> None:
    made = make({"": list(range(ROWS)), **with_x([1, 2])})

    assert [hint for hint in made.hints if "header" in hint.write] == []
    assert "left out: numbers the rows" in {hint.found for hint in made.hints if not hint.column}
    assert "[row_id]" not in made.path.read_text()


def test_the_summary_can_be_pasted_and_counts_one_column_as_one(make: Make) -> None:
    made = make({"x": list(range(ROWS)), "kept": [1.5, 2.5] * (ROWS // 2), "y": ["no", "yes"] * (ROWS // 2)})

    first, *_, last = summary(made, Path("my table.csv"))

    assert first.endswith(": binary, 1 feature (1 column left out).")
    assert last == "  [cyan]./millrace train --model mine 'my table.csv'[/cyan]"


def test_what_was_not_understood_is_listed_what_matters_most_first(make: Make) -> None:
    made = make(
        {
            "id": list(range(ROWS)),
            "b": [1, "unknown"] * (ROWS // 2),
            "price": [f"${i}.50" for i in range(ROWS)],
            "joined": [f"{i % 28 + 1}/5/2024" for i in range(ROWS)],
            "y": ["no", "yes"] * (ROWS // 2),
        }
    )

    head, title, *lines, _, _, _ = (Text.from_markup(line).plain for line in summary(made, Path("t.csv")))

    assert head.endswith(": binary, 1 feature (3 columns left out).")
    assert title == "Not understood, left out or guessed; what matters most comes first:"
    assert [re.split("  +", line.strip()) for line in lines] == [
        ["joined", 'left out: dates, such as "1/5/2024": write 2024-05-31'],
        ["price", 'left out: amounts of money, such as "$39.50": write 39.50'],
        ["y", '"yes" is taken for the positive value: --positive names another'],
        ["b", '"unknown" taken for missing: write a value instead if it is one'],
        ["id", "left out: numbers the rows"],
    ]


def test_a_long_list_is_cut_to_what_matters_most(make: Make) -> None:
    constants = {f"c{i}": ["same"] * ROWS for i in range(MAX_HINTS + 5)}

    lines = list(summary(make({**constants, **with_x([1, 2])}), Path("t.csv")))

    assert "and 6 more, in the comments of the file" in lines[-4]
    assert "positive value" in lines[2]
