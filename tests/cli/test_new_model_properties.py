"""Whatever the table: the model.toml inferred from it accepts every one of its rows."""

from __future__ import annotations

import csv
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.new_model.make import new_model
from cli.new_model.profile import MARKERS
from cli.new_model.target import NothingToLearnError
from infra.settings import load_model
from training.data import table

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(width=32).map(str),
    st.floats().map(repr),
    st.sampled_from(["1_000", "０", "007", " 4 ", "-0", "1e39", ".5", "5.", "+1", "0x10", "infinity"]),
)
MOMENTS = st.one_of(st.dates().map(str), st.datetimes().map(lambda m: m.isoformat()))
MISSING = st.sampled_from(["", " ", "none", *sorted(MARKERS), "NA", "NaN"])
KINDS = (TEXTS, NUMBERS, MOMENTS, st.sampled_from(["yes", "no"]), st.sampled_from(["a", "b", "c"]))
CELLS = st.sampled_from(KINDS).flatmap(
    lambda kind: st.sampled_from([kind, st.one_of(kind, MISSING), st.one_of(kind, TEXTS)])
)
NAMES = st.lists(
    TEXTS.filter(lambda name: name.strip() not in ("", "y")), min_size=1, max_size=4, unique_by=str.strip
)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    names = draw(NAMES)
    rows = draw(st.integers(1, 60))
    columns = [draw(st.lists(draw(CELLS), min_size=rows, max_size=rows)) for _ in names]
    target = draw(st.lists(st.sampled_from(["p", "q"]), min_size=rows, max_size=rows))
    return [[*names, "y"], *([*row] for row in zip(*columns, target, strict=True))]


@settings(max_examples=150)
@given(tables())
def test_every_row_of_the_table_is_accepted(rows: list[list[str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
        with suppress(NothingToLearnError):
            new_model("any", path, column="y", root=Path(folder))
            chunks = list(table.read(path, load_model(Path(folder), "any").contract()))
            assert sum(len(chunk.places) for chunk in chunks) == len(rows) - 1
            assert [f for c in chunks for f in (*c.features.faults, *c.target.faults, *c.ragged)] == []
