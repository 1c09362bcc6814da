"""score_upload as Lambda runs it: real clients, moto's S3 and SQS, SageMaker's runtime over HTTP."""

from __future__ import annotations

import json

import pytest

from adapters.errors import AwsError
from tests.fixtures.account import Account
from tests.fixtures.fakes import SignModel
from tests.fixtures.runtime import ENDPOINT
from tests.fixtures.uploads import read_table


def test_an_upload_is_scored_and_its_message_acknowledged(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    key = account.upload(b"id,x\n1,2\n2,bad\n")
    account.poll()
    ((name, body),) = account.outcomes(key).items()
    assert name.startswith("scored/0.csv/")
    assert [row["prediction"] for row in read_table(body)] == ["positive", ""]
    assert account.waiting() == ("0", "0")
    *logs, metrics = map(json.loads, capsys.readouterr().out.splitlines())
    assert metrics["Environment"] == "test"
    assert metrics["RowsRejected"] == 1
    assert {(log["key"], log["request_id"]) for log in logs} == {(key, "request-1")}


def test_a_file_that_is_no_table_is_unscorable(account: Account) -> None:
    key = account.upload(b"y\n1\n")
    account.poll()
    ((name, body),) = account.outcomes(key).items()
    assert name.startswith("unscorable/0.csv/")
    assert json.loads(body)["code"] == "missing_column"


def test_while_the_endpoint_is_missing_uploads_wait(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPOINT", "not-there-yet")
    key = account.upload(b"x\n1\n")
    account.poll()
    assert (account.outcomes(key), account.waiting()) == ({}, ("1", "0"))
    monkeypatch.setenv("ENDPOINT", ENDPOINT)
    account.poll()
    assert len(account.outcomes(key)) == 1


@pytest.mark.parametrize(
    "code", ["ModelNotReadyException", "ThrottlingException", "ServiceUnavailable", "ModelError"]
)
def test_a_short_failure_of_the_endpoint_is_ridden_out(
    account: Account, runtime: SignModel, code: str
) -> None:
    runtime.failures.append(AwsError("InvokeEndpoint", code, "for a moment"))
    key = account.upload(b"x\n1\n")
    account.poll()
    assert len(account.outcomes(key)) == 1


def test_logs_name_the_error_but_no_values(
    account: Account, runtime: SignModel, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime.column, runtime.failures = "x", [AwsError("InvokeEndpoint", "ValidationError", "denied")]
    key = account.upload(b"x\nsecret-value\n")
    account.poll()
    output = capsys.readouterr().out
    (line,) = map(json.loads, output.splitlines())
    assert (line["level"], line["key"], line["error"]["type"]) == ("ERROR", key, "AwsError")
    assert line["version_id"]
    assert "secret-value" not in output
