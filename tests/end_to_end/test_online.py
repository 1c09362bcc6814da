"""Clients that ask the endpoint directly, as docs/requests.md tells them to."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import local
from cli.kit import samples
from contract import layout
from tests.end_to_end.laptop import Laptop, Model, eventually, table

pytestmark = pytest.mark.local_cloud

Answers = list[dict[str, Any]]
ROWS = 20


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page's examples send."""
    folder = tmp_path_factory.mktemp("requests")
    header, everything = samples.tumors()
    rows = [row[:-1] for row in everything[:ROWS]]
    (folder / "rows.csv").write_bytes(table(header[:-1], rows))
    objects = [dict(zip(header, row, strict=False)) for row in rows]
    (folder / "row.json").write_text(json.dumps(objects[0]))
    (folder / "rows.json").write_text(json.dumps(objects))
    (folder / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in objects))
    return folder


def examples(root: Path, language: str) -> str:
    """The code blocks of one language on the page."""
    page = (root / "docs" / "requests.md").read_text()
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.M | re.S))


def run(laptop: Laptop, command: list[str], folder: Path) -> None:
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ: Mapping[str, str] = {
        **os.environ,
        **local.environment(laptop.folder),
        "PATH": paths,
        "MILLRACE_PORT": str(laptop.port),
    }
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def answers(tumor: Model, requests: Path) -> dict[str, Answers]:
    """What the page's examples received, by the tool that asked."""
    laptop = tumor.laptop
    shell = examples(laptop.root, "sh").replace("./millrace", str(laptop.root / "millrace"))
    run(laptop, ["bash", "-euo", "pipefail", "-c", shell], requests)
    run(laptop, [sys.executable, "-c", examples(laptop.root, "python")], requests)
    lines = {tool: (requests / f"answers-{tool}.jsonl").read_text() for tool in ("cli", "curl")}
    found = {tool: [json.loads(line) for line in text.splitlines()] for tool, text in lines.items()}
    return {**found, "boto3": json.loads((requests / "answers-boto3.json").read_text())}


def test_every_type_of_request_gives_what_the_file_gives(
    tumor: Model, requests: Path, answers: dict[str, Answers]
) -> None:
    key = "score/online.csv"
    rows = tumor.result(key, tumor.upload(key, (requests / "rows.csv").read_bytes()))
    expected = [{"prediction": row["prediction"], "probability": float(row["probability"])} for row in rows]
    assert len(expected) == ROWS
    assert answers["cli"] == answers["curl"] == expected
    assert answers["boto3"] == [expected[0], *expected]


def test_what_was_asked_and_answered_is_captured(tumor: Model, answers: dict[str, Answers]) -> None:
    s3, bucket = tumor.laptop.client("s3"), tumor.outputs["ArtifactsBucket"]
    prefix = f"{layout.CAPTURED_PREFIX}{tumor.outputs['Endpoint']}/live/"

    def exchanges() -> list[Any]:
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def ours() -> list[Any] | None:
        found = [e for e in exchanges() if e["eventMetadata"].get("inferenceId") == "order-4711"]
        return found if len(found) == 2 else None

    captured = [e["captureData"] for e in eventually(ours, within=20, what="the capture of both requests")]
    types = {each["endpointInput"]["observedContentType"] for each in captured}
    assert types == {"application/json", "application/jsonlines"}
    [many] = [c for c in captured if c["endpointInput"]["observedContentType"] == "application/jsonlines"]
    lines = many["endpointOutput"]["data"].splitlines()
    assert [json.loads(line) for line in lines] == answers["boto3"][1:]


def test_a_request_that_is_no_table_is_refused_with_its_reason(tumor: Model) -> None:
    runtime = tumor.laptop.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as refusal:
        runtime.invoke_endpoint(EndpointName=tumor.outputs["Endpoint"], ContentType="text/csv", Body=b"a\n1")
    response = refusal.value.response
    assert response["OriginalStatusCode"] == 400
    assert json.loads(response["OriginalMessage"])["code"] == "missing_column"


def test_load_brings_a_second_instance_and_its_end_takes_it_away(tumor: Model, requests: Path) -> None:
    laptop, endpoint = tumor.laptop, tumor.outputs["Endpoint"]
    scaling, sagemaker = laptop.client("application-autoscaling"), laptop.client("sagemaker")
    [policy] = scaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=f"endpoint/{endpoint}/variant/live"
    )["ScalingPolicies"]
    runtime, row = laptop.client("sagemaker-runtime"), (requests / "row.json").read_bytes()

    def aim(invocations: float) -> None:
        """The release's own policy with another target."""
        kept = ("PolicyName", "PolicyType", "ServiceNamespace", "ResourceId", "ScalableDimension")
        name = "TargetTrackingScalingPolicyConfiguration"
        changed = {**policy[name], "TargetValue": invocations}
        scaling.put_scaling_policy(**{member: policy[member] for member in kept}, **{name: changed})

    def instances() -> int:
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
        return int(described["ProductionVariants"][0]["CurrentInstanceCount"])

    def loaded() -> bool:
        for _ in range(5):
            runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=row)
        return instances() == 2

    assert instances() == 1
    aim(60)
    try:
        eventually(loaded, within=30, what="a second instance")
        eventually(lambda: instances() == 1, within=30, what="one instance again")
    finally:
        aim(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"])
