"""AWS's errors as the project tells them apart, and what is asked of SageMaker and SQS."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber
from urllib3.exceptions import ProtocolError

from adapters import errors
from adapters.clients import client, translated
from adapters.queues import SqsQueue
from adapters.sagemaker import Endpoint, ModelRegistry, TrainingPipeline
from contract import serving


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, errors.AccessDenied),
        ("AccessDeniedException", 400, errors.AccessDenied),
        ("NoSuchKey", 404, errors.NotFound),
        ("NoSuchVersion", 404, errors.NotFound),
        ("404", 404, errors.NotFound),
        ("PreconditionFailed", 412, errors.AlreadyExists),
        ("ConditionalRequestConflict", 409, errors.Transient),
        ("SlowDown", 503, errors.Transient),
        ("ThrottlingException", 400, errors.Transient),
        ("ModelNotReadyException", 429, errors.Transient),
        ("ServiceUnavailable", 503, errors.Transient),
        ("InternalDependencyException", 530, errors.Transient),
        ("ResourceLimitExceeded", 400, errors.AwsError),
        ("NoSuchBucket", 404, errors.AwsError),
        ("KMS.DisabledException", 400, errors.AccessDenied),
    ],
)
def test_each_failure_has_its_kind(code: str, status: int, kind: type[errors.AwsError]) -> None:
    response: Any = {
        "Error": {"Code": code, "Message": "because"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    with pytest.raises(errors.AwsError, match=f"Call: {code}: because") as caught, translated("Call"):
        raise ClientError(response, "Call")
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ReadTimeoutError(endpoint_url="u"), errors.Transient),
        (ConnectTimeoutError(endpoint_url="u"), errors.Transient),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), errors.Transient),
        (ProtocolError("the body of a refusal breaks off"), errors.Transient),
        (NoCredentialsError(), errors.AwsError),
    ],
)
def test_failures_to_speak_to_aws_have_their_kind(error: Exception, kind: type[errors.AwsError]) -> None:
    with pytest.raises(errors.AwsError) as caught, translated("Call"):
        raise error
    assert type(caught.value) is kind


def test_a_missing_endpoint_is_not_found() -> None:
    runtime = boto3.client("sagemaker-runtime", region_name="eu-central-1")
    with Stubber(runtime) as stub:
        stub.add_client_error(
            "invoke_endpoint", "ValidationError", "Endpoint e of account 1 not found.", http_status_code=400
        )
        with pytest.raises(errors.NotFound):
            Endpoint("e", serving.MAX_REQUEST_BYTES, runtime).predict(b"x\n1\n", serving.CSV)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, errors.ModelRefused), (415, errors.ModelRefused), (500, errors.Transient)]
)
def test_what_the_model_server_answers_decides_whose_fault_it_is(
    status: int, kind: type[errors.AwsError]
) -> None:
    runtime = boto3.client("sagemaker-runtime", region_name="eu-central-1")
    with Stubber(runtime) as stub:
        stub.add_client_error(
            "invoke_endpoint",
            "ModelError",
            http_status_code=424,
            modeled_fields={"OriginalStatusCode": status, "OriginalMessage": "{}"},
        )
        with pytest.raises(kind) as caught:
            Endpoint("e", serving.MAX_REQUEST_BYTES, runtime).predict(b"x\n1\n", serving.CSV)
    if isinstance(caught.value, errors.ModelRefused):
        assert (caught.value.status, caught.value.body) == (status, "{}")


def test_an_answer_that_breaks_off_is_transient() -> None:
    runtime = boto3.client("sagemaker-runtime", region_name="eu-central-1")
    with Stubber(runtime) as stub:
        body = StreamingBody(io.BytesIO(b"half"), 8)
        stub.add_response("invoke_endpoint", {"Body": body, "CustomAttributes": "m/1"})
        with pytest.raises(errors.Transient):
            Endpoint("e", serving.MAX_REQUEST_BYTES, runtime).predict(b"x\n1\n", serving.CSV)


def test_a_run_is_started_with_its_id_as_the_token() -> None:
    sagemaker = boto3.client("sagemaker", region_name="eu-central-1")
    run_id = "0123456789abcdef" * 2
    with Stubber(sagemaker) as stub:
        stub.add_response(
            "start_pipeline_execution",
            {"PipelineExecutionArn": "arn"},
            {
                "PipelineName": "p",
                "ClientRequestToken": run_id,
                "PipelineExecutionDisplayName": "run-0123456789ab",
                "PipelineParameters": [{"Name": "RunUri", "Value": "s3://b/runs/r"}],
            },
        )
        assert TrainingPipeline("p", sagemaker).start(run_id, {"RunUri": "s3://b/runs/r"}) == "arn"


def test_a_missing_package_is_not_found() -> None:
    sagemaker = boto3.client("sagemaker", region_name="eu-central-1")
    with Stubber(sagemaker) as stub:
        message = "ModelPackage arn:aws:sagemaker:eu-central-1:1:model-package/g/1 does not exist."
        stub.add_client_error("describe_model_package", "ValidationException", message, http_status_code=400)
        with pytest.raises(errors.NotFound):
            ModelRegistry(sagemaker).describe("arn:aws:sagemaker:eu-central-1:1:model-package/g/1")


def test_a_message_is_delayed() -> None:
    sqs = boto3.client("sqs", region_name="eu-central-1")
    with Stubber(sqs) as stub:
        expected = {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": 40}
        stub.add_response("change_message_visibility", {}, expected)
        SqsQueue("q", sqs).delay("r", 40)


def test_clients_are_made_once_and_wait_longer_than_a_model_may_take(aws: None) -> None:
    assert client("sagemaker-runtime") is client("sagemaker-runtime")
    config: Config = client("sagemaker-runtime").meta.config
    assert config.read_timeout > 60  # type: ignore[attr-defined]  # botocore sets its options as attributes
