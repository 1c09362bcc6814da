"""New results are noted for the monitor, once each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.buckets import S3Bucket
from adapters.clients import client
from adapters.job_buckets import JobBucket
from contract.events import object_created
from contract.names.monitoring import INBOX_PREFIX, NewResult, read_inbox
from lambdas.collect_predictions.handler import handler
from lambdas.collect_predictions.logic import collect
from tests.fixtures.account import Context, create_bucket


def record(key: str, name: str = "m") -> dict[str, str]:
    event = object_created(bucket="results", key=key, version_id="v1", reason="PutObject")
    return {"messageId": name, "body": json.dumps({**event, "time": "2026-03-01T10:00:00Z"})}


def noted() -> list[NewResult]:
    bucket = JobBucket("artifacts")
    return [
        result
        for name in bucket.names(INBOX_PREFIX)
        for result in read_inbox(bucket.read(f"{INBOX_PREFIX}{name}"))
    ]


@pytest.fixture
def artifacts(aws: None) -> S3Bucket:
    create_bucket("artifacts")
    return S3Bucket("artifacts")


def test_results_of_one_call_are_one_note(artifacts: S3Bucket) -> None:
    answer = collect([record("scored/b.csv/v.csv"), record("scored/a.csv/v.csv")], artifacts)
    assert answer == {"batchItemFailures": []}
    assert [result.key for result in noted()] == ["scored/a.csv/v.csv", "scored/b.csv/v.csv"]


def test_the_same_told_again_is_noted_once(artifacts: S3Bucket) -> None:
    for _ in range(2):
        collect([record("scored/a.csv/v.csv")], artifacts)
    assert len(noted()) == 1


def test_what_is_no_result_is_passed_over(artifacts: S3Bucket) -> None:
    assert collect([record("unscorable/a.csv/v.json")], artifacts) == {"batchItemFailures": []}
    assert noted() == []


@pytest.mark.parametrize("body", ["no JSON", "[]", "{}"])
def test_a_message_that_is_no_event_fails_alone(artifacts: S3Bucket, body: str) -> None:
    answer = collect([{"messageId": "bad", "body": body}, record("scored/a.csv/v.csv", "good")], artifacts)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert len(noted()) == 1


def test_the_handler_reads_its_settings(artifacts: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENVIRONMENT": "test", "MODEL": "m", "ARTIFACTS_BUCKET": "artifacts"}.items():
        monkeypatch.setenv(name, value)
    answer: Any = handler({"Records": [record("scored/a.csv/v.csv")]}, Context())
    assert answer == {"batchItemFailures": []}
    assert client("s3").list_objects_v2(Bucket="artifacts")["KeyCount"] == 1
