"""Categories that the model does not know are scored and counted, by column, however the table is written."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.names.metrics import Dimension, Metric
from contract.schema import Contract, Feature, Target
from contract.serving import UNSEEN
from tests.fixtures.fakes import SignModel
from tests.fixtures.files import delimited, score
from tests.fixtures.folders import Run
from tests.fixtures.real_model import RealModel
from tests.fixtures.tables import Table, mixed
from tests.fixtures.uploads import World

HEADER = mixed().header[:-1]
COLOURS = ["red", "magenta", "?", "", "taupe", "mauve"]
ROWS = [("100", colour, "2024-05-01", "S", "0.5", "free") for colour in COLOURS[:-1]]
REJECTED = ("x", COLOURS[-1], "2024-05-01", "S", "0.5", "free")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> RealModel:
    _, trained = Run(tmp_path_factory.mktemp("mixed"), mixed()).trained()
    return RealModel(trained.base / "model")


def written(ending: str) -> bytes:
    rows = [*ROWS, REJECTED]
    if ending == "csv":
        return delimited([[*HEADER], *map(list, rows)], ",", "utf-8", "\n")
    if ending == "jsonl":
        return "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in rows).encode()
    file = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEADER, map(list, zip(*rows, strict=True)), strict=True))), file)
    return file.getvalue()


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_they_are_counted_in_scored_rows_and_are_no_column_of_the_result(
    model: RealModel, ending: str
) -> None:
    result, body = score(f"a.{ending}", written(ending), model=model, features=HEADER)
    assert (result.scored, result.rejected, dict(result.unseen)) == (5, 1, {"colour": 2})
    assert UNSEEN.encode() not in body


def test_a_table_without_any_counts_none(model: RealModel, tmp_path: Path) -> None:
    result, _ = score("a.csv", delimited([[*HEADER], [*ROWS[0]]], ",", "utf-8", "\n"), model=model)
    assert not result.unseen


@pytest.fixture(scope="module")
def of_plans(tmp_path_factory: pytest.TempPathFactory) -> RealModel:
    features = (Feature(name="plan", type="category"), Feature(name="x", type="number"))
    contract = Contract(
        model="m", problem="binary", target=Target(name="y", positive="yes"), features=features
    )
    rows = tuple((str(i % 3), str(i), "yes" if i % 3 else "no") for i in range(300))
    _, trained = Run(tmp_path_factory.mktemp("plans"), Table(contract, ("plan", "x", "y"), rows)).trained()
    return RealModel(trained.base / "model")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_whole_numbers_with_a_fraction_are_seen(of_plans: RealModel, ending: str) -> None:
    plans, file = [0.0, 1.0, 2.0, 7.0], io.BytesIO()
    pq.write_table(pa.table({"plan": plans, "x": [1.0] * 4}), file)
    bodies = {
        "csv": b"plan,x\n0.0,1\n1.0,1\n2.0,1\n7.0,1\n",
        "jsonl": "\n".join(json.dumps({"plan": plan, "x": 1}) for plan in plans).encode(),
        "parquet": file.getvalue(),
    }
    result, _ = score(f"a.{ending}", bodies[ending], model=of_plans, features=("plan", "x"))
    assert (result.scored, dict(result.unseen)) == (4, {"plan": 1})


@dataclass
class Unknowing(SignModel):
    """Takes 2 for a value that it does not know."""

    def _row(self, text: Any) -> dict[str, Any]:
        return {**super()._row(text), **({UNSEEN: ["x", "größe"]} if text == "2" else {})}


def test_they_are_a_metric_by_feature() -> None:
    world = World(model=Unknowing())
    world.score(b"x\n1\n2\nbad\n2\n")
    _, *told = zip(world.metrics.emitted, world.metrics.by, strict=True)
    assert told == [
        ({Metric.UNSEEN_CATEGORIES: 2}, {Dimension.FEATURE: "x"}),
        ({Metric.UNSEEN_CATEGORIES: 2}, {Dimension.FEATURE: "größe"}),
    ]


@pytest.mark.parametrize(
    ("rows", "percent"),
    [(["2"] * 4, 0), (["2"] * 4 + ["1"], 80), (["1"] * 9 + ["2"], 10), (["2", "bad"] * 5, 100), (["bad"], 0)],
)
def test_a_file_whose_rows_are_mostly_unseen_says_so(rows: list[str], percent: float) -> None:
    world = World(model=Unknowing())
    world.score("\n".join(["x", *rows, ""]).encode())
    assert world.metrics.emitted[0][Metric.UNSEEN_CATEGORY_SHARE] == percent
