"""The main job: train, release, score, page. IAM is enforced throughout; `laptop` checks that nothing was refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli import samples
from contract import layout
from tests.end_to_end.laptop import Model, table

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
    answer = tumor.laptop.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"attempt": ""}))
    again = json.load(answer["Payload"])

    executions = tumor.laptop.client("sagemaker").list_pipeline_executions(
        PipelineName=tumor.outputs["Pipeline"]
    )["PipelineExecutionSummaries"]

    assert again["already_started"]
    assert [e["PipelineExecutionArn"] for e in executions].count(again["execution_arn"]) == 1


def test_every_command_that_looks_works(tumor: Model) -> None:
    laptop = tumor.laptop
    assert tumor.live()["model_version"] in laptop.millrace("status")
    assert "AWS_ENDPOINT_URL" in laptop.millrace("env")
    assert tumor.outputs["DataBucket"] in laptop.millrace("outputs", "--model", "tumor")
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
    assert names(layout.CONTRACTS_PREFIX) == {"contract.json"}
    assert "champion.json" in names(layout.CHAMPIONS_PREFIX)
