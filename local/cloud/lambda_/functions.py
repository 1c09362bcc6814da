"""Lambda as AWS runs it: processes that die with the cloud, roles that Lambda may assume and that may
write the logs, errors under their class, and metrics of every invocation."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.patching import replace
from local.cloud.process.children import Children
from local.cloud.seam import AccessDeniedError

SERVICE = "lambda.amazonaws.com"
_EXCEPTION_LINE = re.compile(r"^(?:[\w.]+\.)?([A-Za-z_]\w*)(?::|$)")


def install(children: Children, calls: ServiceCalls, measurements: Measurements) -> None:
    """Replace what ministack does otherwise."""
    # Workers are started by this module's `subprocess.Popen` and by no other.
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": children.popen})
    replace(lambda_runtime, "execution_credentials", "config", lambda original: _trusted(original, calls))
    replace(lambda_svc, "_execute_function_warm", "func event request_id", _naming_the_error)
    replace(
        lambda_svc,
        "_execute_function_dispatch",
        "func config event request_id started",
        lambda original: _measured(original, measurements),
    )
    replace(
        lambda_svc,
        "_emit_lambda_metrics",
        "function_name duration_ms error throttle",
        lambda _: _throttles_only(measurements),
    )
    replace(
        lambda_svc,
        "_emit_lambda_logs",
        "func request_id log_text error duration_ms log_source",
        lambda original: _permitted_to_log(original, calls),
    )


def _trusted(original: Callable[..., dict[str, str]], calls: ServiceCalls) -> Callable[..., dict[str, str]]:
    """A function gets its role's credentials only when the role trusts Lambda. ministack asks nobody."""

    def execution_credentials(config: dict[str, Any]) -> dict[str, str]:
        calls.trust(config.get("Role", ""), SERVICE, config.get("FunctionArn", ""))
        return original(config)

    return execution_credentials


def _permitted_to_log(original: Callable[..., None], calls: ServiceCalls) -> Callable[..., None]:
    """A function's lines, and the metrics in them, are lost when its role may not write them."""

    def emit_lambda_logs(func: Mapping[str, Any], *arguments: Any, **options: Any) -> None:
        config = func.get("config") or func
        arn = config["FunctionArn"].split(":")
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
        stream = f"arn:aws:logs:{arn[3]}:{arn[4]}:log-group:{group}:log-stream:*"
        try:
            for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
                calls.role(config["Role"], SERVICE, action, stream, config["FunctionArn"])
        except AccessDeniedError:
            return
        original(func, *arguments, **options)

    return emit_lambda_logs


def _naming_the_error(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """AWS reports the class of the exception; ministack calls each one Runtime.HandlerError."""

    def execute_function_warm(func: Any, event: Any, request_id: str) -> dict[str, Any]:
        result = original(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            body.update(_error(body["errorMessage"], result.get("log", ""), request_id))
        return result

    return execute_function_warm


def _error(message: str, log: str, request_id: str) -> dict[str, Any]:
    if message == "Worker process died":
        died = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        return {"errorType": "Runtime.ExitError", "errorMessage": died}
    lines = log.rstrip().splitlines()
    for index in range(len(lines) - 1, -1, -1):
        found = _EXCEPTION_LINE.match(lines[index])
        if found and index and lines[index - 1].startswith(" "):
            return {"errorType": found.group(1), "stackTrace": lines}
    return {}


def _measured(
    original: Callable[..., dict[str, Any]], measurements: Measurements
) -> Callable[..., dict[str, Any]]:
    """Every invocation counts, also those of event sources, for which ministack writes no metrics."""

    def dispatch(
        func: Any, config: Mapping[str, Any], event: Any, request_id: str, started: float
    ) -> dict[str, Any]:
        result: dict[str, Any] = {"error": True}
        try:
            result = original(func, config, event, request_id, started)
            return result
        finally:
            dimensions = {"FunctionName": config.get("FunctionName", "")}
            milliseconds = (time.time() - started) * 1000
            measurements.put("AWS/Lambda", "Invocations", 1, "Count", dimensions)
            measurements.put("AWS/Lambda", "Errors", float(bool(result.get("error"))), "Count", dimensions)
            measurements.put("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)
            measurements.put("AWS/Lambda", "Throttles", 0, "Count", dimensions)

    return dispatch


def _throttles_only(measurements: Measurements) -> Callable[..., None]:
    def emit_lambda_metrics(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
        # An invocation that was refused has no duration; `_measured` counts those that ran.
        if throttle and not duration_ms:
            measurements.put("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})

    return emit_lambda_metrics
