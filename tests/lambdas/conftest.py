"""Fixtures: AWS as moto has it, and SageMaker's runtime as an HTTP server that answers like it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from contract.schema import Contract, Feature, Target
from lambdas.adapters import clients
from lambdas.adapters.clients import client
from tests.lambdas.account import Account, create_bucket
from tests.lambdas.fakes import SignModel
from tests.lambdas.runtime import ENDPOINT, serve_model


@pytest.fixture
def model() -> SignModel:
    return SignModel()


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """A handler makes the process's logging its own; give it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto's AWS, empty, and clients that were made inside it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients.client.cache_clear()
    with mock_aws():
        yield
    clients.client.cache_clear()


@pytest.fixture
def runtime(aws: None, model: SignModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignModel]:
    """The model behind SageMaker's runtime API, over HTTP."""
    with serve_model(model) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
        yield model


@pytest.fixture
def account(runtime: SignModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    create_bucket("data")
    create_bucket("results")
    url = client("sqs").create_queue(QueueName="score")["QueueUrl"]
    settings = {
        "ENVIRONMENT": "test",
        "MODEL": "sign",
        "RESULTS_BUCKET": "results",
        "ARTIFACTS_BUCKET": "artifacts",
        "BATCH_STATE_MACHINE": "arn:aws:states:eu-central-1:123456789012:stateMachine:batch",
        "ENDPOINT": ENDPOINT,
        "QUEUE_URL": url,
        "MAX_UPLOAD_BYTES": "1000000",
        "MAX_REQUEST_BYTES": "6291456",
        "RETRY_SECONDS": "0",
        "LAMBDA_TASK_ROOT": str(tmp_path),
    }
    contract = Contract(
        model="sign",
        problem="binary",
        target=Target(name="sign", positive="positive"),
        features=(Feature(name=runtime.column, type="number"),),
    )
    Path(tmp_path, "contract.json").write_text(contract.to_json())
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return Account(url)
