"""The main job: train, release, score, page. IAM is enforced throughout; `laptop` checks that nothing was refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.kit import samples
from contract import layout
from contract.names.metrics import NAMESPACE, Dimension, Metric
from tests.end_to_end.laptop import Model, eventually, table

pytestmark = pytest.mark.local_cloud


def rows(count: int) -> tuple[list[str], list[list[Any]]]:
    header, everything = samples.tumors()
    return header[:-1], [row[:-1] for row in everything[:count]]


def test_an_upload_comes_back_scored_row_by_row(tumor: Model) -> None:
    header, body = rows(100)
    body[7][0] = "not a number"
    body[42][3] = -5
    key = "score/clinic a/März+1.csv"
    version = tumor.upload(key, table(header, body))

    result = tumor.result(key, version)

    assert [[row[name] for name in header] for row in result] == [[str(v) for v in row] for row in body]
    bad = {number for number, row in enumerate(result) if row["rejected"]}
    assert bad == {7, 42}
    assert header[0] in result[7]["rejected"]
    assert header[3] in result[42]["rejected"]
    scored = [row for row in result if not row["rejected"]]
    assert {row["prediction"] for row in scored} == {"malignant", "benign"}
    assert all(0 <= float(row["probability"]) <= 1 for row in scored)
    assert {row["model_version"] for row in result} == {tumor.live()["model_version"]}


def test_the_model_is_as_good_as_its_gates(tumor: Model) -> None:
    evaluation = tumor.evaluation()
    assert evaluation["passed"]
    assert evaluation["metrics"]["roc_auc"]["value"] >= 0.95


def test_a_file_that_is_no_table_is_explained_and_paged(tumor: Model) -> None:
    key = "score/holiday.csv"
    version = tumor.upload(key, b"\x89PNG\r\n\x1a\n" + bytes(range(256)))

    refusal = tumor.refusal(key, version)
    page = tumor.page("unscorable-uploads")

    assert refusal["code"] == "undecodable"
    assert refusal["remedy"]
    assert page["NewStateValue"] == "ALARM"
    assert "docs/runbooks/unscorable-uploads.md" in page["AlarmDescription"]


def test_the_same_data_is_not_trained_twice(tumor: Model) -> None:
    function = tumor.outputs["StartTrainingFunction"]

    def ask(*, again: bool) -> dict[str, Any]:
        payload = json.dumps({"again": again})
        answer = tumor.laptop.client("lambda").invoke(FunctionName=function, Payload=payload)
        told: dict[str, Any] = json.load(answer["Payload"])
        return told

    again, forced = ask(again=False), ask(again=True)

    executions = tumor.laptop.client("sagemaker").list_pipeline_executions(
        PipelineName=tumor.outputs["Pipeline"]
    )["PipelineExecutionSummaries"]

    assert again["already_started"]
    assert [e["PipelineExecutionArn"] for e in executions].count(again["execution_arn"]) == 1
    # It would be the same model: there is one package of it, whoever asks for a second.
    assert forced["already_registered"] == tumor.live()["model_package_arn"]
    assert not forced["execution_arn"]


def test_every_command_that_looks_works(tumor: Model) -> None:
    laptop = tumor.laptop
    assert tumor.live()["model_version"] in laptop.millrace("status")
    assert "AWS_ENDPOINT_URL" in laptop.millrace("env")
    assert tumor.outputs["DataBucket"] in laptop.millrace("outputs", "--model", "tumor")
    shown = laptop.millrace("models", "show", tumor.live()["model_version"], "--model", "tumor")
    for part in ("roc_auc", "report.html", "card.json", "pipeline/millrace-local-tumor/execution/"):
        assert part in shown
    datasets = laptop.millrace("datasets", "--model", "tumor")
    assert "569 rows" in datasets
    assert tumor.live()["model_version"] in datasets
    laptop.millrace("pages", "--model", "tumor")
    assert "validate" in laptop.millrace("logs", "jobs", "--model", "tumor")


def test_what_was_learned_is_where_the_layout_says(tumor: Model) -> None:
    s3 = tumor.laptop.client("s3")
    bucket = tumor.outputs["ArtifactsBucket"]

    def names(prefix: str) -> set[str]:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        return {entry["Key"].rpartition("/")[2] for entry in listed}

    run = {"report.json", "model.tar.gz", "evaluation.json", "report.html", "card.json", "started.json"}
    assert run <= names(layout.RUNS_PREFIX)
    assert names(layout.CONTRACTS_PREFIX) == {"contract.json", "gates.json"}
    assert "champion.json" in names(layout.CHAMPIONS_PREFIX)


@pytest.fixture
def broken_training_data(tumor: Model) -> Iterator[str]:
    """The key of a training file with a cell that is no number; it is gone afterwards."""
    header, everything = samples.tumors()
    body = [list(row) for row in everything[:50]]
    body[7][0] = "large"
    key = "training/broken.csv"
    tumor.upload(key, table(header, body))
    yield key
    tumor.laptop.client("s3").delete_object(Bucket=tumor.outputs["DataBucket"], Key=key)


def reported(tumor: Model, started_by: str) -> Mapping[str, Any] | None:
    """What `report_failure` logged of a run that was started by this."""
    group = f"/aws/lambda/{tumor.outputs['ReportFailureFunction']}"
    events = tumor.laptop.client("logs").filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
    return next((line for line in lines if line.get("started_by") == started_by), None)


def stopped_reports(tumor: Model) -> list[str]:
    """Where the validations' pages lie that say that the data stops the run."""
    s3, bucket = tumor.laptop.client("s3"), tumor.outputs["ArtifactsBucket"]
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=layout.RUNS_PREFIX)["Contents"]
    pages = [item["Key"] for item in listed if item["Key"].endswith("/validate/report/report.html")]
    return [key for key in pages if b"stops the run" in s3.get_object(Bucket=bucket, Key=key)["Body"].read()]


def runs_paged(tumor: Model, since: datetime) -> list[float]:
    """The greatest value of `RunsPaged` in each minute that has one."""
    points = tumor.laptop.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=Metric.RUNS_PAGED,
        Dimensions=[
            {"Name": Dimension.ENVIRONMENT, "Value": "local"},
            {"Name": Dimension.MODEL, "Value": tumor.name},
        ],
        StartTime=since - timedelta(minutes=1),
        EndTime=since + timedelta(minutes=5),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return [point["Maximum"] for point in points]


def test_broken_data_is_told_to_who_uploaded_it_and_paged_where_nobody_waits(
    tumor: Model, broken_training_data: str
) -> None:
    began = datetime.now(UTC)

    told = eventually(lambda: reported(tumor, "upload"), within=60, what="the failed run is reported")

    assert told["cause"] == "Data"
    assert told["sentence"].startswith("validate: Data: ")
    assert broken_training_data.rpartition("/")[2] in told["sentence"]
    assert not told["pages"]
    status = tumor.laptop.millrace("status", "--model", "tumor")
    assert "Data: values: " in status
    assert "/validate/report/report.html" in "".join(status.split())
    assert len(stopped_reports(tumor)) == 1
    paged = eventually(lambda: runs_paged(tumor, began), within=30, what="the failure is counted")
    assert set(paged) == {0}

    # The very same failure of a scheduled run: the page that comes is its, not the upload's.
    scheduled = datetime.now(UTC)
    payload = json.dumps({"again": True, "started_by": "schedule"})
    tumor.laptop.client("lambda").invoke(FunctionName=tumor.outputs["StartTrainingFunction"], Payload=payload)
    page = tumor.page("pipeline-failed")
    again = reported(tumor, "schedule")

    assert datetime.strptime(page["StateChangeTime"], "%Y-%m-%dT%H:%M:%S.%f%z") > scheduled
    assert again is not None
    assert again["sentence"] == told["sentence"]
