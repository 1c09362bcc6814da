"""Whatever the table and its format: the model.toml inferred from it accepts every one of its rows."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.new_model.make import new_model
from cli.new_model.markers import MARKERS, WEAK_MARKERS
from cli.new_model.target import NothingToLearnError
from infra.settings import load_model
from training.data import table

Rows = list[list[str]]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(width=32).map(str),
    st.floats().map(repr),
    st.sampled_from(["1_000", "０", "007", " 4 ", "-0", "1e39", ".5", "5.", "+1", "0x10", "infinity"]),
)
MOMENTS = st.one_of(st.dates().map(str), st.datetimes().map(lambda m: m.isoformat()))
MISSING = st.sampled_from(["", " ", *sorted(MARKERS), *sorted(WEAK_MARKERS), "NA", "NaN"])
WRITTEN = st.builds(
    "{1}{0:,.2f}{2}".format,
    st.floats(-1e6, 1e6),
    st.sampled_from(["", "$", "("]),
    st.sampled_from(["", "%", " kg", ")"]),
)
DATES = st.dates().map(lambda date: date.strftime("%d.%m.%Y"))
WORDS = (["yes", "no"], ["True", "FALSE", "true"], ["a", "b", "c"], ["DE", "NA", "FR", "US"])
KINDS = (TEXTS, NUMBERS, MOMENTS, WRITTEN, DATES, *map(st.sampled_from, WORDS))
CELLS = st.sampled_from(KINDS).flatmap(
    lambda kind: st.sampled_from([kind, st.one_of(kind, MISSING), st.one_of(kind, TEXTS)])
)
NAMES = st.lists(
    TEXTS.filter(lambda name: name.strip() not in ("", "y")), min_size=1, max_size=4, unique_by=str.strip
)


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    names = draw(NAMES)
    rows = draw(st.integers(1, 60))
    columns = [draw(st.lists(draw(CELLS), min_size=rows, max_size=rows)) for _ in names]
    target = draw(st.lists(st.sampled_from(["p", "q"]), min_size=rows, max_size=rows))
    return [[*names, "y"], *([*row] for row in zip(*columns, target, strict=True))]


def write_csv(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def write_json_lines(path: Path, rows: Rows) -> None:
    header, *others = rows
    path.write_text("\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in others))


def write_parquet(path: Path, rows: Rows) -> None:
    header, *others = rows
    columns = [pa.array(column, pa.string()) for column in zip(*others, strict=True)]
    pq.write_table(pa.table(columns, names=header), path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "write", "examples"),
    [
        ("table.csv", write_csv, 150),
        ("table.jsonl", write_json_lines, 50),
        ("table.parquet", write_parquet, 3),  # each is decoded in processes of its own
    ],
)
def test_every_row_of_the_table_is_accepted(
    name: str, write: Callable[[Path, Rows], None], examples: int
) -> None:
    @settings(max_examples=examples)
    @given(tables())
    def every_row_is_accepted(rows: Rows) -> None:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder, name), rows)
            check(Path(folder, name), len(rows) - 1)

    every_row_is_accepted()


def check(path: Path, rows: int) -> None:
    with suppress(NothingToLearnError):
        new_model("any", path, column="y", root=path.parent)
        chunks = list(table.read(path, load_model(path.parent, "any").contract()))
        assert sum(len(chunk.places) for chunk in chunks) == rows
        assert [f for c in chunks for f in (*c.refusals, *c.ragged)] == []
