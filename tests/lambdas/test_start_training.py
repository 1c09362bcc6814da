"""What lies under training/ is pinned, copied and trained on at most once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract import layout
from contract.dataset import Manifest
from lambdas.adapters.errors import Transient
from lambdas.start_training.logic import NoTrainingData, Trainer, handle
from tests.lambdas.fakes import MemoryBucket

RECORDS = {"Records": [{"messageId": "m0", "body": "{}"}, {"messageId": "m1", "body": "{}"}]}


@dataclass
class MemoryPipeline:
    """Knows its runs by their tokens, as SageMaker does."""

    runs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    failures: int = 0

    def start(self, run_id: str, parameters: Mapping[str, str]) -> str:
        if self.failures:
            self.failures -= 1
            raise Transient("StartPipelineExecution", "ThrottlingException", "slow down")
        self.runs.setdefault(run_id, parameters)
        return f"arn:run/{run_id}"


@dataclass
class Lab:
    """Everything start_training touches, in memory."""

    data: MemoryBucket = field(default_factory=lambda: MemoryBucket("data"))
    artifacts: MemoryBucket = field(default_factory=lambda: MemoryBucket("artifacts"))
    pipeline: MemoryPipeline = field(default_factory=MemoryPipeline)
    code_digest: str = "c0de"

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        trainer = Trainer(
            data=self.data,
            artifacts=self.artifacts,
            pipeline=self.pipeline,
            code_digest=self.code_digest,
            contract=b'{"model": "sign"}',
        )
        return handle(event, trainer)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.data.put("training/a.csv", b"x,y\n1,2\n")
    lab.data.put("training/sub/a.CSV", b"x,y\n3,4\n")
    return lab


def test_a_run_gets_the_pinned_dataset_and_the_contract(lab: Lab) -> None:
    told = lab.ask({"attempt": ""})
    version, run_id = told["dataset_version"], told["run_id"]
    assert told["already_started"] is False
    assert told["execution_arn"] == f"arn:run/{run_id}"
    assert run_id == layout.run_id(version, "c0de")
    assert lab.pipeline.runs[run_id] == {
        "DatasetVersion": version,
        "DatasetUri": f"s3://data/datasets/{version}/data/",
        "RunUri": f"s3://artifacts/runs/{run_id}",
    }
    manifest = Manifest.from_json(lab.data.read(layout.manifest_key(version)))
    assert manifest.version == version
    for pinned in manifest.objects:
        copy = lab.data.read(layout.dataset_data_prefix(version) + pinned.copy_name)
        assert copy == lab.data.read(pinned.key)
        assert (hashlib.sha256(copy).hexdigest(), len(copy)) == (pinned.sha256, pinned.size)
    assert lab.artifacts.read(layout.contract_key(run_id)) == b'{"model": "sign"}'
    assert json.loads(lab.artifacts.read(layout.started_key(run_id))) == {
        "execution_arn": f"arn:run/{run_id}",
        "dataset_version": version,
        "code_digest": "c0de",
    }


def test_the_same_dataset_and_code_are_trained_on_once(lab: Lab) -> None:
    first, second = lab.ask({}), lab.ask({})
    assert second == {**first, "already_started": True}
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    assert len(lab.pipeline.runs) == 1


def test_another_attempt_code_or_content_is_another_run(lab: Lab) -> None:
    first = lab.ask({})
    again = lab.ask({"attempt": "2"})
    lab.code_digest = "c0de2"
    recoded = lab.ask({})
    lab.data.put("training/a.csv", b"x,y\n9,9\n")
    refilled = lab.ask({})
    assert len({run["run_id"] for run in (first, again, recoded, refilled)}) == 4
    assert first["dataset_version"] == again["dataset_version"] == recoded["dataset_version"]
    assert refilled["dataset_version"] != first["dataset_version"]


def test_five_at_once_start_one_run(lab: Lab) -> None:
    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(lambda _: lab.ask({}), range(5)))
    assert len({answer["execution_arn"] for answer in told}) == len(lab.pipeline.runs) == 1


def test_a_failure_hands_the_whole_batch_back_and_the_next_delivery_finishes(lab: Lab) -> None:
    lab.pipeline.failures = 1
    assert lab.ask(RECORDS) == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    assert len(lab.pipeline.runs) == 1


def test_only_csv_is_trained_on_and_the_rest_is_logged(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    before = lab.ask({})
    lab.data.put("training/notes.txt", b"hello")
    lab.data.put("training/folder/", b"")
    assert lab.ask({}) == {**before, "already_started": True}
    assert [r.__dict__["key"] for r in caplog.records if r.levelname == "ERROR"] == ["training/notes.txt"]


def test_nothing_to_train_on_is_an_error_for_a_person_and_no_failure_of_a_message() -> None:
    with pytest.raises(
        NoTrainingData, match=r"no \.csv lies under s3://data/training/: upload a table there"
    ):
        Lab().ask({"attempt": ""})
    assert Lab().ask(RECORDS) == {"batchItemFailures": []}
