"""Any table becomes a model: inferred, deployed beside others, trained and scoring."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.kit import samples
from infra.settings import load_model
from tests.end_to_end.laptop import Laptop, Model, table

pytestmark = pytest.mark.local_cloud

PARTS = 3
SEARCH = """
[training.search]
max_jobs = 2
[training.search.parameters]
max_iter = { type = "integer", min = 10, max = 30 }
"""


@dataclass(frozen=True)
class Brought:
    """A user's own table, made a model."""

    model: Model
    header: list[str]
    rows: list[list[Any]]

    def score(self, count: int) -> list[dict[str, str]]:
        key = f"score/{count}.csv"
        version = self.model.upload(key, table(self.header[:-1], [row[:-1] for row in self.rows[:count]]))
        return self.model.result(key, version)


@pytest.fixture(scope="module")
def bring(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Brought]:
    folder: Path = tmp_path_factory.mktemp("tables")

    def bring(name: str, header: list[str], rows: list[list[Any]], more: str = "") -> Brought:
        path = samples.write_csv(folder / f"{name}.csv", header, rows)
        (folder / name).mkdir()
        parts = [samples.write_csv(folder / name / f"{n}.csv", header, rows[n::PARTS]) for n in range(PARTS)]
        laptop.millrace("new-model", name, "--from", str(path), "--target", header[-1])
        settings = laptop.root / "models" / name / "model.toml"
        settings.write_text(settings.read_text() + more)
        laptop.millrace("deploy", "--model", name)
        model = laptop.model(name)
        model.train(*parts)
        return Brought(model, header, rows)

    return bring


def test_a_multiclass_table(bring: Callable[..., Brought]) -> None:
    brought = bring("wine", *samples.cultivars(), more=SEARCH)

    result = brought.score(50)

    assert len(result) == 50
    assert brought.model.runs() == 1, "the uploads were a burst"
    classes = {str(row[-1]) for row in brought.rows}
    for row in result:
        shares = {name: float(row[f"probability_{name}"]) for name in classes}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
        assert row["prediction"] == max(shares, key=lambda name: shares[name])
    evaluation = brought.model.evaluation()
    assert evaluation["metrics"]["accuracy"]["value"] > 0.85
    assert_searched(brought, evaluation["search"])


def assert_searched(brought: Brought, search: Any) -> None:
    """SageMaker's own record of the search says what the evaluation does."""
    sagemaker = brought.model.laptop.client("sagemaker")
    [trial] = [trial for trial in search["trials"] if trial["chosen"]]
    assert len(search["trials"]) == 2
    assert trial["value"] == min(other["value"] for other in search["trials"])
    job = sagemaker.describe_training_job(TrainingJobName=trial["name"])
    tuning = sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job["TuningJobArn"].rpartition("/")[2]
    )
    best = tuning["BestTrainingJob"]
    assert best["TrainingJobName"] == trial["name"]
    assert best["TunedHyperParameters"] == {"max_iter": str(trial["parameters"]["max_iter"])}
    measured = best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    assert measured == pytest.approx(trial["value"], abs=1e-6)


def tickets() -> tuple[list[str], list[list[Any]]]:
    """Support tickets: how long one takes is in its words and in the weekday, and nowhere else."""
    draw = random.Random(7)
    cost = {"refund": 30, "broken": 20, "invoice": 10, "password": 2, "thanks": 0, "address": 1}
    rows: list[list[Any]] = []
    for number in range(400):
        opened = datetime(2026, 1, 5, 9, 30, tzinfo=UTC) + timedelta(hours=5 * number)
        words = draw.choices(list(cost), k=4)
        hours = 10 + sum(cost[word] for word in words) + (40 if opened.weekday() >= 5 else 0)
        message = f"Hello! About {words[0]}, {words[1]}; {words[2]} and {words[3]}, please?"
        team = draw.choice(["north", "south", ""])
        rows.append(
            [f"T{number:05}", opened.isoformat(sep=" "), team, message, round(hours + draw.random(), 1)]
        )
    return ["ticket", "opened", "team", "message", "hours"], rows


def test_a_regression_table_of_words_and_dates(bring: Callable[..., Brought]) -> None:
    header, rows = tickets()
    brought = bring("support", header, rows)

    result = brought.score(50)

    contract = load_model(brought.model.laptop.root, "support").contract()
    kinds = {feature.name: feature.type for feature in contract.features}
    assert kinds == {"opened": "datetime", "team": "category", "message": "text"}
    assert brought.model.evaluation()["metrics"]["r2"]["value"] > 0.8
    assert "probability" not in result[0]
    for row, given in zip(result, rows, strict=False):
        assert float(row["prediction"]) == pytest.approx(given[-1], abs=15)
