"""How Step Functions names what its AWS SDK integrations take, give and fail with."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import stepfunctions as sfn

_OPTIMISED = {"sqs", "sns", "events", "dynamodb", "states"}
_ERROR_PREFIXES = {
    "sagemaker": "SageMaker",
    "sagemakerruntime": "SageMakerRuntime",
    "applicationautoscaling": "ApplicationAutoScaling",
}


def service_and_action(resource: str) -> tuple[str, str]:
    """Service and action, both in lower camel case, of an integration's ARN.

    Raises ministack's execution error, which fails the task, for an integration that is not run here.
    """
    parts = resource.removesuffix(".waitForTaskToken").split(":")[5:]
    supported = parts[0] == "aws-sdk" or parts[0] in _OPTIMISED
    if not supported or ".sync" in resource:
        raise sfn._ExecutionError(
            "States.Runtime",
            f"The local cloud does not run {resource}. It runs arn:aws:states:::lambda:invoke, "
            "arn:aws:states:::aws-sdk:<service>:<action> and the optimised integrations of "
            f"{', '.join(sorted(_OPTIMISED))} without .sync.",
        )
    service, action = parts[-2:]
    return ("sfn" if service == "states" else service), action


def operation(client: Any, action: str, resource: str) -> str:
    """The API's name of an action: PutParameter of putParameter."""
    for name in client.meta.service_model.operation_names:
        if name.lower() == action.lower():
            return str(name)
    raise sfn._ExecutionError("States.Runtime", f"{resource} names no operation of the service")


def parameters(arguments: Mapping[str, Any], shape: Any) -> dict[str, Any]:
    """Arguments under the API's own names; JSON given for a string is sent as its text."""
    renamed = sfn._sdk_json_param_value(arguments, shape)
    return {
        name: json.dumps(value)
        if isinstance(value, dict | list)
        and name in shape.members
        and shape.members[name].type_name == "string"
        else value
        for name, value in renamed.items()
    }


def task_error(service: str, client: Any, error: ClientError) -> Exception:
    """The error under the name of its class in the AWS SDK for Java 2, which is what Step Functions uses.

    A code that the service's model does not know (validation, throttling, access) is the service's own
    base class, such as SageMaker.SageMakerException.
    """
    details = error.response["Error"]
    code = str(details.get("Code", "")).rpartition("#")[2]
    prefix = _ERROR_PREFIXES.get(service) or sfn._AWS_SDK_ERROR_PREFIX.get(service, service.capitalize())
    modeled = {shape.error_code or shape.name: shape.name for shape in client.meta.service_model.error_shapes}
    modeled |= {shape.name: shape.name for shape in client.meta.service_model.error_shapes}
    base = "AWSLambda" if service == "lambda" else prefix
    name = modeled.get(code, base).removesuffix("Fault").removesuffix("Exception") + "Exception"
    metadata = error.response.get("ResponseMetadata", {})
    cause = (
        f"{details.get('Message', '')} (Service: {prefix}, Status Code: {metadata.get('HTTPStatusCode')}, "
        f"Request ID: {metadata.get('RequestId')})"
    )
    failure: Exception = sfn._ExecutionError(f"{prefix}.{name}", cause)
    return failure


def as_sdk_result(value: Any) -> Any:
    """Member names as the SDK for Java spells them (KMSKeyId is KmsKeyId), times in ISO 8601."""
    if isinstance(value, Mapping):
        return {sfn._api_name_to_sfn_key(name): as_sdk_result(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_sdk_result(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if hasattr(value, "read"):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value
