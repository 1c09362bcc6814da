"""`new-model`: names, files and real tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cli import samples
from cli.errors import CliError
from cli.new_model.command import told
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

    assert f"A column is called '{name}': does the file lack a header line?" in make(columns).warnings
    with pytest.raises(CliError, match=r"has no column 'z': .* does the file lack a header line"):
        make(columns, name="other", target="z")
    assert make(with_x([1, 2]), name="another").warnings == ()


def test_what_is_told_can_be_pasted_and_counts_one_column_as_one(make: Make) -> None:
    made = make({"x": list(range(ROWS)), "kept": [1.5, 2.5] * (ROWS // 2), "y": ["no", "yes"] * (ROWS // 2)})

    first, *_, last = told(made, Path("my table.csv"))

    assert first.endswith(": binary, 1 feature (1 column left out).")
    assert last == "  [cyan]./millrace train --model mine 'my table.csv'[/cyan]"
