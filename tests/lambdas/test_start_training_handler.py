"""start_training as Lambda runs it: real clients, moto's S3 and SageMaker."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from adapters.clients import client
from contract import layout
from contract.documents.dataset import Manifest
from lambdas.start_training.handler import handler
from tests.fixtures.account import Context, create_bucket

CONTRACT, GATES = b"{}", b'{"f1": "> 0"}'
SETTINGS = {
    "ENVIRONMENT": "test",
    "MODEL": "sign",
    "DATA_BUCKET": "data",
    "ARTIFACTS_BUCKET": "artifacts",
    "PIPELINE": "millrace-test-sign",
    "CODE_DIGEST": "c0de",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/training",
    "QUIET_SECONDS": "0",
    "LONGEST_WAIT_SECONDS": "21600",
}


@pytest.fixture(autouse=True)
def _deployed(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_bucket("data")
    create_bucket("artifacts")
    client("sagemaker").create_pipeline(
        PipelineName="millrace-test-sign",
        PipelineDefinition="{}",
        ClientRequestToken="t" * 32,
        RoleArn="arn:aws:iam::123456789012:role/pipeline",
    )
    (tmp_path / "contract.json").write_bytes(CONTRACT)
    (tmp_path / "gates.json").write_bytes(GATES)
    for name, value in {**SETTINGS, "LAMBDA_TASK_ROOT": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)


def test_the_current_versions_are_pinned_copied_and_trained_on() -> None:
    s3 = client("s3")
    s3.put_object(Bucket="data", Key="training/a.csv", Body=b"old")
    current = s3.put_object(Bucket="data", Key="training/a.csv", Body=b"new")["VersionId"]
    s3.put_object(Bucket="data", Key="training/deleted.csv", Body=b"gone")
    s3.delete_object(Bucket="data", Key="training/deleted.csv")

    told = handler({"again": False}, Context())

    version = told["dataset_version"]
    manifest = s3.get_object(Bucket="data", Key=layout.manifest_key(version))["Body"].read()
    (pinned,) = Manifest.from_json(manifest).objects
    assert (pinned.key, pinned.version_id) == ("training/a.csv", current)
    copy = s3.get_object(Bucket="data", Key=layout.dataset_data_prefix(version) + pinned.copy_name)
    assert copy["Body"].read() == b"new"
    (execution,) = client("sagemaker").list_pipeline_executions(PipelineName="millrace-test-sign")[
        "PipelineExecutionSummaries"
    ]
    assert execution["PipelineExecutionArn"] == told["execution_arn"]
    assert execution["PipelineExecutionDisplayName"] == f"run-{told['run_id'][:12]}"
    assert handler({"again": False}, Context()) == {**told, "already_started": True}


def test_a_pipeline_that_is_missing_hands_the_messages_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE", "not-there")
    client("s3").put_object(Bucket="data", Key="training/a.csv", Body=b"x")
    event = {"Records": [{"messageId": "m0", "body": "{}"}]}
    assert handler(event, Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_what_is_registered_is_found_by_its_origin() -> None:
    client("s3").put_object(Bucket="data", Key="training/a.csv", Body=b"x")
    sagemaker = client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="millrace-test-sign")
    version = handler({"again": False}, Context())["dataset_version"]
    contract, gates = (
        f"s3://artifacts/{layout.contract_prefix(hashlib.sha256(document).hexdigest())}"
        for document in (CONTRACT, GATES)
    )
    made_by = {"code_digest": "c0de", "contract_uri": contract, "gates_uri": gates}
    made = [
        sagemaker.create_model_package(
            ModelPackageGroupName="millrace-test-sign",
            CustomerMetadataProperties={"dataset_version": dataset, **made_by},
        )["ModelPackageArn"]
        for dataset in (version, "another")
    ]
    told = handler({"again": True}, Context())
    assert (told["already_registered"], told["execution_arn"]) == (made[0], "")
