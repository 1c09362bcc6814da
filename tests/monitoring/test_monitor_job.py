"""The monitor's job: results in S3 are counted by version and time, once each, and judged."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.clients import client
from adapters.job_buckets import JobBucket
from contract.names.monitoring import NewResult, Version
from contract.serving import CSV
from monitoring.detector import Settings, Verdict
from monitoring.jobs.monitor import Monitor
from monitoring.windows import Window
from scoring.server.predictor import Predictor
from tests.fixtures.account import create_bucket
from tests.fixtures.archives import archive
from tests.fixtures.tables import mixed

NAME = "millrace-test-mixed/3"
VERSION = Version(3)


class Registry:
    """The registry, of one package."""

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        assert model_package_arn == "arn:group/3"
        container = {"ModelDataUrl": "s3://artifacts/runs/1/model.tar.gz"}
        return {"InferenceSpecification": {"Containers": [container]}}


@dataclass
class Lab:
    """Buckets with a sealed model, and results of it."""

    predictor: Predictor
    scratch: Path

    def monitor(self) -> Monitor:
        self.scratch.mkdir(exist_ok=True)
        return Monitor(
            results=JobBucket("results"),
            artifacts=JobBucket("artifacts"),
            registry=Registry(),
            group_arn="arn:group",
            settings=Settings(),
            scratch=self.scratch,
        )

    def score(self, key: str, rows: Sequence[Mapping[str, str]]) -> NewResult:
        """What score_upload would have written of these rows."""
        names = list(mixed().contract.feature_names)
        body = io.StringIO()
        writer = csv.DictWriter(body, names)
        writer.writeheader()
        writer.writerows(rows)
        lines = self.predictor.respond(CSV, body.getvalue().encode()).splitlines()
        result = io.StringIO()
        out = csv.writer(result)
        out.writerow([*names, "prediction", "probability", "rejected", "model_version"])
        for row, line in zip(rows, lines, strict=True):
            out.writerow([*(row[name] for name in names), *_said(line), NAME])
        version = client("s3").put_object(Bucket="results", Key=key, Body=result.getvalue().encode())
        return NewResult(key=key, version_id=version["VersionId"], time="")

    def window(self) -> Window:
        (name,) = JobBucket("artifacts").names(VERSION.windows)
        return Window.from_json(JobBucket("artifacts").read(VERSION.windows + name))


def _said(line: str) -> tuple[str, str, str]:
    answer = json.loads(line)
    if "rejected" in answer:
        return "", "", answer["rejected"][0]["message"]
    return answer["prediction"], repr(answer["probability"]), ""


def rows(count: int, seed: int, **changed: str) -> list[dict[str, str]]:
    """Rows as the model was trained on, but for what is changed in all of them."""
    table = mixed()
    names = table.contract.feature_names
    drawn = random.Random(seed).choices(table.rows, k=count)
    return [{**dict(zip(names, row, strict=False)), **changed} for row in drawn]


@pytest.fixture
def lab(aws: None, mixed_model: Path, tmp_path: Path) -> Lab:
    create_bucket("results")
    create_bucket("artifacts")
    files = {path.name: path.read_bytes() for path in mixed_model.iterdir()}
    client("s3").put_object(Bucket="artifacts", Key="runs/1/model.tar.gz", Body=archive(files))
    return Lab(Predictor(mixed_model), tmp_path / "scratch")


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=3)


def test_rows_of_all_results_are_counted_and_judged_ok(lab: Lab) -> None:
    monitor = lab.monitor()
    for number in range(3):
        assert monitor.count(lab.score(f"scored/{number}.csv", rows(200, number))) == {VERSION}
    judged = monitor.judge(VERSION, later())
    assert judged is not None
    assert (judged.detection.verdict, judged.rows, judged.waiting) == (Verdict.OK, 600, False)


def test_a_column_that_changed_is_named(lab: Lab) -> None:
    monitor = lab.monitor()
    monitor.count(lab.score("scored/a.csv", rows(2_000, 1, ratio="25.0")))
    judged = monitor.judge(VERSION, later())
    assert judged is not None
    assert judged.detection.verdict is Verdict.DRIFTED
    assert "ratio" in judged.detection.named


def test_a_result_counts_once_however_often_the_job_runs(lab: Lab) -> None:
    result = lab.score("scored/a.csv", rows(150, 1))
    for _ in range(2):
        monitor = lab.monitor()
        monitor.count(result)
        monitor.judge(VERSION, later())
        assert lab.window().rows == 150
        for path in sorted(lab.scratch.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()


def test_refused_rows_are_counted_apart(lab: Lab) -> None:
    given = [*rows(100, 1), *rows(5, 2, ratio="many")]
    lab.monitor().count(lab.score("scored/a.csv", given))
    window = lab.window()
    assert (window.rows, window.rejected) == (100, 5)
    assert window.counts["ratio"].sum() == window.counts["probability"].sum() == 100


def test_a_window_that_is_not_over_waits(lab: Lab) -> None:
    monitor = lab.monitor()
    monitor.count(lab.score("scored/a.csv", rows(150, 1)))
    judged = monitor.judge(VERSION, datetime.now(UTC))
    assert judged is not None
    assert (judged.detection.verdict, judged.waiting) == (Verdict.TOO_LITTLE_DATA, True)


def test_a_result_that_its_owner_deleted_is_passed_over(lab: Lab) -> None:
    gone = NewResult(key="scored/a.csv", version_id="00000000-0000-0000-0000-000000000000", time="")
    assert lab.monitor().count(gone) == set()


def test_a_version_long_out_of_use_is_not_looked_at(lab: Lab) -> None:
    monitor = lab.monitor()
    monitor.count(lab.score("scored/a.csv", rows(150, 1)))
    assert monitor.judge(VERSION, datetime.now(UTC) + timedelta(days=3)) is None
