"""What lies under training/ is pinned, copied and trained on at most once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO, Any

import pytest

from adapters.errors import AwsError, Transient
from adapters.ports import ObjectVersion
from contract import layout
from contract.documents.dataset import Manifest
from lambdas.start_training.champion import ChampionLost, Champions
from lambdas.start_training.debounce import Debounce
from lambdas.start_training.logic import Trainer, handle
from lambdas.start_training.snapshot import NoTrainingData
from tests.fixtures.fakes import MODIFIED, MemoryBucket, MemoryParameter, MemoryQueue, MemoryRegistry
from tests.fixtures.uploads import message

RECORDS = {"Records": [message("{}", name=name) for name in ("m0", "m1")]}
"""Messages that name no upload: somebody sent them by hand."""

CONTRACT = b'{"model": "sign"}'
GATES = b'{"roc_auc": ">= 0.9"}'
CONTRACT_DIGEST, GATES_DIGEST = (hashlib.sha256(document).hexdigest() for document in (CONTRACT, GATES))


@dataclass
class MemoryPipeline:
    """Knows its runs by their tokens, as SageMaker does."""

    runs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    failures: int = 0

    def is_running(self, execution_arn: str) -> bool:
        run_id = execution_arn.rpartition("/")[2]
        return run_id in self.runs and run_id not in self.ended

    def end(self) -> None:
        """All that go on come to their end."""
        self.ended |= self.runs.keys()

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
    live: MemoryParameter = field(default_factory=MemoryParameter)
    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    quiet_seconds: int = 0
    longest_seconds: int = 6 * 3600
    now: float = MODIFIED.timestamp()
    code_digest: str = "c0de"
    gates: bytes = GATES

    def ask(self, event: Mapping[str, Any]) -> dict[str, Any]:
        trainer = Trainer(
            data=self.data,
            artifacts=self.artifacts,
            pipeline=self.pipeline,
            catalogue=self.registry,
            package_group="sign",
            code_digest=self.code_digest,
            quiet=Debounce(
                seconds=self.quiet_seconds,
                longest_seconds=self.longest_seconds,
                queue=self.queue,
                now=lambda: self.now,
            ),
            champions=Champions(live=self.live, registry=self.registry, artifacts=self.artifacts),
            contract=CONTRACT,
            gates=self.gates,
        )
        return handle(event, trainer)


@pytest.fixture
def lab() -> Lab:
    lab = Lab()
    lab.data.put("training/a.csv", b"x,y\n1,2\n")
    lab.data.put("training/sub/a.CSV", b"x,y\n3,4\n")
    return lab


@dataclass
class OverwrittenOnceListed(MemoryBucket):
    """Whoever has listed it finds other bytes under the same keys."""

    def current_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        listed = list(super().current_versions(prefix))
        for version in listed:
            self.put(version.key, b"x,y\n9,9\n")
        return iter(listed)


def test_what_is_pinned_is_what_was_listed_whatever_came_since(lab: Lab) -> None:
    lab.data = OverwrittenOnceListed("data", objects=lab.data.objects)
    version = lab.ask({})["dataset_version"]
    manifest = Manifest.from_json(lab.data.read(layout.manifest_key(version)))
    for pinned in manifest.objects:
        copy = lab.data.read(layout.dataset_data_prefix(version) + pinned.copy_name)
        assert hashlib.sha256(copy).hexdigest() == pinned.sha256
        assert copy == lab.data.open(pinned.key, pinned.version_id).stream.read()


def test_a_dataset_that_has_a_manifest_is_whole(lab: Lab) -> None:
    lab.data = CrashingBucket("data", objects=lab.data.objects, crash_at=1)
    assert lab.ask(RECORDS)["batchItemFailures"]
    assert not [key for key in lab.data.objects if key.endswith("manifest.json")]
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    [run] = lab.pipeline.runs.values()
    copies = layout.dataset_data_prefix(run["DatasetVersion"])
    assert len([key for key in lab.data.objects if key.startswith(copies)]) == 2


def test_a_run_gets_the_pinned_dataset_and_the_contract(lab: Lab) -> None:
    told = lab.ask({"again": False})
    version, run_id = told["dataset_version"], told["run_id"]
    assert told["already_started"] is False
    assert told["execution_arn"] == f"arn:run/{run_id}"
    assert run_id == layout.run_id(
        version, "c0de", f"contracts/{CONTRACT_DIGEST}/", f"contracts/{GATES_DIGEST}/"
    )
    assert lab.pipeline.runs[run_id] == {
        "DatasetVersion": version,
        "DatasetUri": f"s3://data/datasets/{version}/data/",
        "ContractUri": f"s3://artifacts/contracts/{CONTRACT_DIGEST}/",
        "GatesUri": f"s3://artifacts/contracts/{GATES_DIGEST}/",
        "ChampionUri": "s3://artifacts/champions/nobody/",
        "RunUri": f"s3://artifacts/runs/{run_id}",
        "StartedBy": "person",
    }
    manifest = Manifest.from_json(lab.data.read(layout.manifest_key(version)))
    assert manifest.version == version
    for pinned in manifest.objects:
        copy = lab.data.read(layout.dataset_data_prefix(version) + pinned.copy_name)
        assert copy == lab.data.read(pinned.key)
        assert (hashlib.sha256(copy).hexdigest(), len(copy)) == (pinned.sha256, pinned.size)
    assert lab.artifacts.read(f"contracts/{CONTRACT_DIGEST}/contract.json") == CONTRACT
    assert lab.artifacts.read(f"contracts/{GATES_DIGEST}/gates.json") == GATES
    assert json.loads(lab.artifacts.read(layout.started_key(run_id))) == {
        "execution_arn": f"arn:run/{run_id}",
        "dataset_version": version,
        "code_digest": "c0de",
    }


@pytest.mark.parametrize(
    ("event", "started_by"), [(RECORDS, "upload"), ({}, "person"), ({"started_by": "schedule"}, "schedule")]
)
def test_a_run_says_who_started_it(lab: Lab, event: Mapping[str, Any], started_by: str) -> None:
    lab.ask(event)
    (parameters,) = lab.pipeline.runs.values()
    assert parameters["StartedBy"] == started_by


def test_who_starts_a_run_must_be_known(lab: Lab) -> None:
    with pytest.raises(ValueError, match="moon"):
        lab.ask({"started_by": "moon"})


def test_the_same_dataset_and_code_are_trained_on_once(lab: Lab) -> None:
    first, second = lab.ask({}), lab.ask({})
    assert second == {**first, "already_started": True}
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    assert len(lab.pipeline.runs) == 1


def test_another_attempt_code_or_content_is_another_run(lab: Lab) -> None:
    first = lab.ask({})
    lab.pipeline.end()
    again = lab.ask({"again": True})
    lab.code_digest = "c0de2"
    recoded = lab.ask({})
    lab.data.put("training/a.csv", b"x,y\n9,9\n")
    refilled = lab.ask({})
    assert len({run["run_id"] for run in (first, again, recoded, refilled)}) == 4
    assert first["dataset_version"] == again["dataset_version"] == recoded["dataset_version"]
    assert refilled["dataset_version"] != first["dataset_version"]


def test_other_gates_are_another_run_of_the_same_contract(lab: Lab) -> None:
    first = lab.ask({})
    lab.gates = b'{"roc_auc": ">= 0.5"}'
    second = lab.ask({})
    assert not second["already_started"]
    one, other = (lab.pipeline.runs[told["run_id"]] for told in (first, second))
    assert {name for name in one if one[name] != other[name]} == {"GatesUri", "RunUri"}


def test_what_goes_on_is_not_run_again_and_of_what_ended_the_last_run_counts(lab: Lab) -> None:
    first = lab.ask({})
    assert lab.ask({"again": True}) == {**first, "already_started": True}
    lab.pipeline.end()
    second = lab.ask({"again": True})
    assert not second["already_started"]
    assert lab.ask({"again": True}) == lab.ask({}) == {**second, "already_started": True}
    lab.pipeline.end()
    lab.ask({"again": True})
    assert len(lab.pipeline.runs) == 3


def test_five_who_ask_again_at_once_get_one_run(lab: Lab) -> None:
    lab.ask({})
    lab.pipeline.end()
    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(lambda _: lab.ask({"again": True}), range(5)))
    assert len({answer["execution_arn"] for answer in told}) == 1
    assert len(lab.pipeline.runs) == 2


def test_a_run_of_a_pipeline_that_is_gone_has_ended(lab: Lab) -> None:
    lab.ask({})
    lab.pipeline.runs.clear()
    assert not lab.ask({"again": True})["already_started"]


def test_what_is_a_registered_model_already_is_not_made_again(lab: Lab) -> None:
    first = lab.ask({})
    run = lab.pipeline.runs[first["run_id"]]
    uris = {"contract_uri": run["ContractUri"], "gates_uri": run["GatesUri"], "run_uri": run["RunUri"]}
    origin = {"dataset_version": first["dataset_version"], "code_digest": "c0de", **uris}
    package = {"ModelPackageGroupName": "sign", "CustomerMetadataProperties": origin}
    lab.registry.packages["arn:sign/1"] = {
        **package,
        "CustomerMetadataProperties": {**origin, "code_digest": "0"},
    }
    lab.registry.packages["arn:sign/4"] = {
        **package,
        "CustomerMetadataProperties": {**origin, "gates_uri": "s3://others"},
    }
    lab.registry.packages["arn:sign/2"] = {**package, "ModelPackageGroupName": "other"}
    lab.pipeline.end()
    assert lab.ask({"again": True})["already_registered"] == ""
    lab.registry.packages["arn:sign/3"] = package
    assert lab.ask({"again": True})["already_started"]
    lab.pipeline.end()
    again = lab.ask({"again": True})
    assert (again["already_registered"], again["execution_arn"]) == ("arn:sign/3", "")
    assert len(lab.pipeline.runs) == 2


def test_the_same_bytes_uploaded_again_are_the_same_version_and_no_run(lab: Lab) -> None:
    first = lab.ask({})
    lab.data.put("training/a.csv", lab.data.read("training/a.csv"))
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    assert lab.ask({}) == {**first, "already_started": True}
    assert len(lab.pipeline.runs) == 1


def test_a_change_of_one_row_is_another_version_and_a_run(lab: Lab) -> None:
    first = lab.ask({})
    lab.data.put("training/a.csv", lab.data.read("training/a.csv").replace(b"1,2", b"1,3"))
    changed = lab.ask({})
    lab.data.put("training/a.csv", b"x,y\n1,2\n")
    assert changed["dataset_version"] != first["dataset_version"]
    assert lab.ask({}) == {**first, "already_started": True}
    assert len(lab.pipeline.runs) == 2


def test_five_at_once_start_one_run(lab: Lab) -> None:
    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(lambda _: lab.ask({}), range(5)))
    assert len({answer["execution_arn"] for answer in told}) == len(lab.pipeline.runs) == 1


def test_a_failure_hands_the_whole_batch_back_and_the_next_delivery_finishes(lab: Lab) -> None:
    lab.pipeline.failures = 1
    assert lab.ask(RECORDS) == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    assert lab.ask(RECORDS) == {"batchItemFailures": []}
    assert len(lab.pipeline.runs) == 1


def test_only_tables_are_trained_on_and_the_rest_is_logged(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    before = lab.ask({})
    for name in ("notes.pdf", "folder/", "folder/_SUCCESS", ".hidden.csv"):
        lab.data.put(f"training/{name}", b"")
    assert lab.ask({}) == {**before, "already_started": True}
    assert [r.__dict__["key"] for r in caplog.records if r.levelname == "ERROR"] == ["training/notes.pdf"]


def test_every_format_is_trained_on(lab: Lab) -> None:
    names = ["b.parquet", "c.JSONL.gz", "d.tsv", "month=1/part-0"]
    for name in names:
        lab.data.put(f"training/{name}", name.encode())
    version = lab.ask({})["dataset_version"]
    pinned = Manifest.from_json(lab.data.read(layout.manifest_key(version))).objects
    assert {each.key.removeprefix("training/") for each in pinned} >= {*names}


def test_nothing_to_train_on_is_an_error_for_a_person_and_no_failure_of_a_message() -> None:
    with pytest.raises(NoTrainingData, match=r"no table lies under s3://data/training/: upload one there"):
        Lab().ask({"again": False})
    assert Lab().ask(RECORDS) == {"batchItemFailures": []}


def release(lab: Lab, version: int, artifact: bytes = b"model") -> str:
    """Make a version live, whose run is its number; its package's ARN."""
    uri = f"runs/{version}/train/job/output/model.tar.gz"
    lab.artifacts.put(uri, artifact)
    arn = f"arn:package/sign/{version}"
    lab.registry.packages[arn] = {
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": f"s3://artifacts/{uri}"}]}
    }
    lab.live.value = json.dumps({"model_version": f"sign/{version}", "model_package_arn": arn})
    return arn


def champion(lab: Lab, run_id: str) -> tuple[Any, bytes | None]:
    """What a run finds in its input `champion`: the document, and the artifact."""
    prefix = lab.pipeline.runs[run_id]["ChampionUri"].removeprefix("s3://artifacts/")
    archive = prefix + "model.tar.gz"
    document = json.loads(lab.artifacts.read(prefix + "champion.json"))
    return document, lab.artifacts.read(archive) if lab.artifacts.exists(archive) else None


def test_the_champion_is_nobody_before_the_first_release(lab: Lab) -> None:
    run_id = lab.ask({})["run_id"]
    assert champion(lab, run_id) == ({"model_version": None, "model_package_arn": None}, None)


def test_the_live_model_is_pinned_for_the_run(lab: Lab) -> None:
    arn = release(lab, 3, b"third")
    run_id = lab.ask({})["run_id"]
    assert champion(lab, run_id) == ({"model_version": "sign/3", "model_package_arn": arn}, b"third")


def test_runs_against_the_same_champion_have_the_same_arguments_but_for_their_own_place(lab: Lab) -> None:
    release(lab, 3)
    first = lab.ask({})["run_id"]
    lab.pipeline.end()
    again = lab.ask({"again": True})["run_id"]
    lab.pipeline.end()
    release(lab, 4)
    later = lab.ask({"again": True})["run_id"]
    differing = [
        {name for name, value in lab.pipeline.runs[first].items() if lab.pipeline.runs[other][name] != value}
        for other in (again, later)
    ]
    assert differing == [{"RunUri"}, {"RunUri", "ChampionUri"}]


def test_a_run_keeps_its_champion_when_another_goes_live_before_it_is_started(lab: Lab) -> None:
    release(lab, 3)
    lab.pipeline.failures = 1
    with pytest.raises(Transient):
        lab.ask({})
    release(lab, 4)
    document, _ = champion(lab, lab.ask({})["run_id"])
    assert document["model_version"] == "sign/3"


def test_a_crash_at_any_write_is_made_good_by_the_next_delivery() -> None:
    for crash_at in range(20):
        artifacts = CrashingBucket("artifacts", crash_at=crash_at)
        lab = Lab(artifacts=artifacts)
        lab.data.put("training/a.csv", b"x,y\n1,2\n")
        release(lab, 3, b"third")
        if lab.ask(RECORDS)["batchItemFailures"]:
            assert lab.ask(RECORDS) == {"batchItemFailures": []}
        [run_id] = lab.pipeline.runs
        assert champion(lab, run_id)[1] == b"third"
        if not artifacts.crashed:
            return
    pytest.fail("there are more writes than crashes")


def test_a_live_model_whose_artifact_is_gone_starts_no_run_and_says_so(lab: Lab) -> None:
    release(lab, 3)
    lab.artifacts.withdraw("runs/3/train/job/output/model.tar.gz")
    with pytest.raises(ChampionLost, match=r"runs/3/train/job/output/model\.tar\.gz is not in the bucket"):
        lab.ask({})
    assert not lab.pipeline.runs


def test_a_live_model_whose_package_is_gone_starts_no_run_and_says_so(lab: Lab) -> None:
    release(lab, 3)
    lab.registry.packages.clear()
    with pytest.raises(ChampionLost, match=r"the live model's package .* is gone: release a version"):
        lab.ask({})
    assert not lab.pipeline.runs


@dataclass
class CrashingBucket(MemoryBucket):
    """Dies before its n-th write, once."""

    crash_at: int = 0
    writes: int = 0
    crashed: bool = False

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        self._write()
        super().create(key, body, content_type)

    def copy(self, source: ObjectVersion, key: str) -> None:
        self._write()
        super().copy(source, key)

    def _write(self) -> None:
        if self.writes == self.crash_at and not self.crashed:
            self.crashed = True
            raise AwsError("PutObject", "Crash", "the function ends here")
        self.writes += 1
