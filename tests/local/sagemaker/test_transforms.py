"""Transform jobs, as they run on a cloud: an answer beside each part, on several instances at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker import serving
from tests.local.sagemaker.workbench import BUCKET, Workbench, wait_for

pytestmark = pytest.mark.local_cloud

LOGS = "/aws/sagemaker/TransformJobs"


class Transform:
    """A transform of parts, given by name, with a model of the fake image."""

    def __init__(self, workbench: Workbench, parts: Mapping[str, str], **members: Any) -> None:
        self.name = f"transform-{uuid4().hex[:8]}"
        self._workbench = workbench
        for name, body in parts.items():
            workbench.put(f"{self.name}/parts/{name}", body)
        self.start(list(parts), self.name, **members)

    def start(self, names: list[str], job: str, *, instances: int = 1, **members: Any) -> None:
        """Start a job over some of the parts, by a manifest."""
        prefix = {"prefix": f"s3://{BUCKET}/{self.name}/parts/"}
        manifest = self._workbench.put(f"{job}/manifest", json.dumps([prefix, *names]))
        source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}}
        self._workbench.sagemaker.create_transform_job(
            **{
                "TransformJobName": job,
                "ModelName": serving.model(self._workbench, "blue"),
                "MaxConcurrentTransforms": 1,
                "ModelClientConfig": {"InvocationsMaxRetries": 0},
                "TransformInput": {"ContentType": "text/csv", "SplitType": "None", "DataSource": source},
                "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{self.name}/answers"},
                "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": instances},
                **members,
            }
        )

    def ended(self, job: str = "") -> dict[str, Any]:
        """The job's description once it has ended."""

        def look() -> dict[str, Any] | None:
            found = self._workbench.sagemaker.describe_transform_job(TransformJobName=job or self.name)
            return found if found["TransformJobStatus"] not in ("InProgress", "Stopping") else None

        return wait_for(look, "the transform ends")

    def answers(self) -> dict[str, Any]:
        """What was answered to each part that has an answer."""
        prefix = f"{self.name}/answers/"
        found = self._workbench.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        keys = [item["Key"] for item in found]
        return {
            key.removeprefix(prefix).removesuffix(".out"): json.loads(
                self._workbench.get(f"s3://{BUCKET}/{key}")
            )["body"]
            for key in keys
        }

    def streams(self) -> set[str]:
        """The log streams of the job's instances."""
        found = self._workbench.client("logs").describe_log_streams(
            logGroupName=LOGS, logStreamNamePrefix=f"{self.name}/i-"
        )["logStreams"]
        return {stream["logStreamName"] for stream in found}


def test_every_part_has_its_answer(workbench: Workbench) -> None:
    parts = {f"{number}.csv": f"row {number}" for number in range(7)}
    transform = Transform(workbench, parts, instances=3)
    assert transform.ended()["TransformJobStatus"] == "Completed"
    assert transform.answers() == parts
    assert len(transform.streams()) == 3


def test_instances_work_at_once(workbench: Workbench, tmp_path: Path) -> None:
    signals = [tmp_path / "a", tmp_path / "b"]
    parts = {signal.name: f"until {signal}" for signal in signals}
    transform = Transform(workbench, parts, instances=2)
    # Each instance takes one part at a time: both are asked before either may answer.
    for body in parts.values():
        wait_for(lambda body=body: body in workbench.lines(LOGS, f"{transform.name}/i-"), body)  # type: ignore[misc]
    for signal in signals:
        signal.touch()
    assert transform.ended()["TransformJobStatus"] == "Completed"
    assert transform.answers() == parts


def test_a_part_that_fails_costs_no_other_its_answer_and_can_be_asked_for_again(workbench: Workbench) -> None:
    parts = {"0": "one", "1": "boom", "2": "three", "3": "bad"}
    transform = Transform(workbench, parts, instances=2)
    ended = transform.ended()
    assert ended["TransformJobStatus"] == "Failed"
    assert "2 of 4 objects have no output" in ended["FailureReason"]
    assert transform.answers() == {"0": "one", "2": "three"}
    assert {"1: ", "3: "} <= {line[:3] for line in workbench.lines(LOGS, f"{transform.name}/data-log")}

    workbench.put(f"{transform.name}/parts/1", "two")
    workbench.put(f"{transform.name}/parts/3", "four")
    transform.start(["1", "3"], again := f"{transform.name}-2")
    assert transform.ended(again)["TransformJobStatus"] == "Completed"
    assert transform.answers() == {"0": "one", "1": "two", "2": "three", "3": "four"}


def test_an_instance_that_dies_fails_the_job_and_the_others_answer(workbench: Workbench) -> None:
    transform = Transform(workbench, {"0": "die", "1": "one", "2": "two", "3": "three"}, instances=2)
    ended = transform.ended()
    assert ended["TransformJobStatus"] == "Failed"
    assert ended["FailureReason"].startswith("AlgorithmError")
    assert {"1": "one", "3": "three"}.items() <= transform.answers().items()


def test_a_job_that_is_stopped_begins_no_other_part(workbench: Workbench, tmp_path: Path) -> None:
    signal = tmp_path / "go"
    transform = Transform(workbench, {"0": f"until {signal}", "1": "never"})
    wait_for(lambda: f"until {signal}" in workbench.lines(LOGS, f"{transform.name}/i-"), "the first part")
    workbench.sagemaker.stop_transform_job(TransformJobName=transform.name)
    signal.touch()
    assert transform.ended()["TransformJobStatus"] == "Stopped"
    assert set(transform.answers()) == {"0"}


def test_a_job_that_is_stopped_before_it_began_is_stopping_until_it_is_stopped(workbench: Workbench) -> None:
    transform = Transform(workbench, {"0": "never"})
    workbench.sagemaker.stop_transform_job(TransformJobName=transform.name)
    seen: list[str] = []

    def look() -> bool:
        found = workbench.sagemaker.describe_transform_job(TransformJobName=transform.name)
        seen.append(found["TransformJobStatus"])
        return seen[-1] == "Stopped"

    wait_for(look, "the transform ends")
    assert set(seen) <= {"Stopping", "Stopped"}
    assert not transform.answers()


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"MaxConcurrentTransforms": 15, "MaxPayloadInMB": 7}, "must not exceed 100 MB"),
        ({"BatchStrategy": "MultiRecord"}, "BatchStrategy"),
    ],
)
def test_what_aws_refuses_or_nobody_implements_is_refused(
    workbench: Workbench, members: dict[str, Any], why: str
) -> None:
    with pytest.raises(ClientError, match=why):
        Transform(workbench, {"0": "one"}, **members)
