"""boto3 clients, made once per warm container, and botocore's errors as this project's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own
    HTTPClientError,
    IncompleteReadError,
)
from urllib3.exceptions import HTTPError

from adapters.errors import AccessDenied, AlreadyExists, AwsError, ModelRefused, NotFound, Transient

if TYPE_CHECKING:
    from botocore.config import _RetryDict

_STANDARD: _RetryDict = {"mode": "standard", "total_max_attempts": 5}
_CONFIGS: dict[str, Config] = {
    "s3": Config(connect_timeout=5, read_timeout=60, retries=_STANDARD, max_pool_connections=16),
    "sqs": Config(connect_timeout=5, read_timeout=10, retries=_STANDARD),
    "stepfunctions": Config(connect_timeout=5, read_timeout=10, retries=_STANDARD),
    "ssm": Config(connect_timeout=5, read_timeout=10, retries=_STANDARD),
    "sagemaker": Config(connect_timeout=5, read_timeout=30, retries=_STANDARD),
    # SageMaker gives a model 60 s to answer. The retries are score_upload's own: only it
    # knows the function's deadline, and botocore never retries a ModelError.
    "sagemaker-runtime": Config(
        connect_timeout=5,
        read_timeout=65,
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=16,
    ),
}

_KINDS: dict[type[AwsError], frozenset[str]] = {
    AccessDenied: frozenset({"AccessDenied", "AccessDeniedException", "AccessDeniedByLockException"}),
    NotFound: frozenset(
        {"NoSuchKey", "NoSuchVersion", "NotFound", "404", "ResourceNotFound"} | {"ParameterNotFound"}
    ),
    AlreadyExists: frozenset({"PreconditionFailed", "412", "ExecutionAlreadyExists"}),
    Transient: frozenset(
        {"ConditionalRequestConflict", "RequestTimeout", "SlowDown", "Throttling", "ThrottlingException"}
        | {"ModelNotReadyException", "TooManyRequestsException", "ConflictException"}
        | {"KMS.ThrottlingException", "KMS.KMSInternalException", "KMS.DependencyTimeoutException"}
    ),
}
_NOT_FOUND = ("Could not find", "does not exist", "not found")
"""SageMaker's words, under the code of any other ValidationError, for something that is not there."""


@functools.cache
def client(service: str) -> Any:
    """The client of an AWS service, with explicit time-outs and retries."""
    return boto3.client(service, config=_CONFIGS[service])  # type: ignore[call-overload]  # one name for all services


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Raise what botocore raises inside as an error of `adapters.errors`."""
    try:
        yield
    except ClientError as error:
        raise _of(operation, error) from error
    except (ConnectionError, HTTPClientError, IncompleteReadError, HTTPError) as error:
        # The last is urllib3's: botocore hands it on where the body of a refusal breaks off.
        raise Transient(operation, type(error).__name__, str(error)) from error
    except BotoCoreError as error:
        raise AwsError(operation, type(error).__name__, str(error)) from error


def _of(operation: str, error: ClientError) -> AwsError:
    response: dict[str, Any] = dict(error.response)
    code, message = str(response["Error"].get("Code")), str(response["Error"].get("Message"))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "ModelError" and 400 <= response.get("OriginalStatusCode", 0) < 500:
        return ModelRefused(operation, response["OriginalStatusCode"], response.get("OriginalMessage", ""))
    for kind, codes in _KINDS.items():
        if code in codes:
            return kind(operation, code, message)
    if code == "ModelError" or status >= 500 or status == 429:
        return Transient(operation, code, message)
    if code.startswith("KMS."):
        # S3 hands on what KMS says: the key is disabled, to be deleted, or not there.
        return AccessDenied(operation, code, message)
    if code.startswith("ValidationE") and any(phrase in message for phrase in _NOT_FOUND):
        return NotFound(operation, code, message)
    return AwsError(operation, code, message)
