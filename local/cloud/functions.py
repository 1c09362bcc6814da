"""Lambda as AWS runs it: processes that die with the cloud, roles that Lambda may assume, errors by
their class, and event source mappings that read with the function's role and believe no malformed answer."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.responses import error_response_json, request_scope
from ministack.services import lambda_svc

from local.cloud import encryption
from local.cloud.authorization import ServiceCalls
from local.cloud.measurements import Measurements
from local.cloud.patching import replace
from local.cloud.processes import Children
from local.cloud.seam import AccessDeniedError

SERVICE = "lambda.amazonaws.com"
MAPPING_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
REFUSED_MAPPING_PAUSE_SECONDS = 2.0
_reports_failures: ContextVar[bool] = ContextVar("the mapping takes a list of failures", default=False)
_EXCEPTION_LINE = re.compile(r"^(?:[\w.]+\.)?([A-Za-z_]\w*)(?::|$)")


def install(children: Children, calls: ServiceCalls, measurements: Measurements) -> None:
    """Replace what ministack does otherwise."""
    # Workers are started by this module's `subprocess.Popen` and by no other.
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": children.popen})
    mappings = _Mappings(calls)
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
    replace(lambda_svc, "_create_esm", "data", mappings.created)
    replace(lambda_svc, "_iter_all_esms", "", mappings.readable)
    replace(
        lambda_svc,
        "_run_sqs_batch",
        "esm func_rec event batch queue_url queue_name",
        _remembering_the_mapping,
    )
    replace(lambda_svc, "_execute_function", "func event", _believing_no_malformed_answer)


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


class _Mappings:
    """Event source mappings of SQS queues, each reading with its function's role."""

    def __init__(self, calls: ServiceCalls) -> None:
        self._calls = calls
        self._refused_until: dict[str, float] = {}

    def created(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """AWS refuses to make a mapping whose function may not read the queue."""

        def create_esm(data: dict[str, Any]) -> Any:
            function, config, _ = lambda_svc._get_func_record_for_ref(data.get("FunctionName", ""))
            if function:
                try:
                    check_mapping(self._calls, config, data.get("EventSourceArn", ""))
                except AccessDeniedError as error:
                    return error_response_json(
                        "InvalidParameterValueException",
                        f"The provided execution role does not have permissions to call SQS: {error}",
                        400,
                    )
            return original(data)

        return create_esm

    def readable(self, original: Callable[[], Iterable[tuple[str, str, Any]]]) -> Callable[[], Iterator[Any]]:
        """The mappings whose function may read its queue now. The others are asked again after a pause."""

        def iter_all_esms() -> Iterator[tuple[str, str, Any]]:
            for account, region, mapping in original():
                if self._refused_until.get(mapping["UUID"], 0) <= time.monotonic():
                    with request_scope(account, region):
                        readable = self._is_readable(mapping)
                    if readable:
                        yield account, region, mapping

        return iter_all_esms

    def _is_readable(self, mapping: dict[str, Any]) -> bool:
        _, config, _ = lambda_svc._get_func_record_for_ref(mapping["FunctionName"])
        if config is None:
            return True
        try:
            check_mapping(self._calls, config, mapping["EventSourceArn"])
        except AccessDeniedError as error:
            mapping["LastProcessingResult"] = f"PROBLEM: {error}"
            self._refused_until[mapping["UUID"]] = time.monotonic() + REFUSED_MAPPING_PAUSE_SECONDS
            return False
        return True


def check_mapping(calls: ServiceCalls, config: Mapping[str, Any], source_arn: str) -> None:
    """Raise AccessDeniedError unless the function's role may read the queue."""
    if ":sqs:" not in source_arn:
        return
    for action in MAPPING_ACTIONS:
        calls.role(config["Role"], SERVICE, action, source_arn, config["FunctionArn"])
    key_arn = encryption.key_of_queue(source_arn)
    if key_arn is not None:
        calls.role(config["Role"], SERVICE, "kms:Decrypt", key_arn, config["FunctionArn"])


def _remembering_the_mapping(original: Callable[..., None]) -> Callable[..., None]:
    def run_sqs_batch(mapping: Mapping[str, Any], *arguments: Any) -> None:
        _reports_failures.set("ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []))
        original(mapping, *arguments)

    return run_sqs_batch


def _believing_no_malformed_answer(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A list of failures that makes no sense fails the whole batch; for ministack all of it succeeded."""

    def execute_function(func: Any, event: Any) -> dict[str, Any]:
        result = original(func, event)
        if _reports_failures.get() and not result.get("error") and _is_malformed(result.get("body"), event):
            message = "batchItemFailures does not name messages of the batch: all of it counts as failed"
            body = {"errorType": "InvalidBatchItemFailures", "errorMessage": message}
            return {**result, "error": True, "body": body}
        return result

    return execute_function


def _is_malformed(body: Any, event: Mapping[str, Any]) -> bool:
    """Whether an answer has a list of failures that AWS does not accept. No list at all is a success."""
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return False
    if not isinstance(body, dict) or body.get("batchItemFailures") is None:
        return False
    failures = body["batchItemFailures"]
    known = {record["messageId"] for record in event["Records"]}
    return not isinstance(failures, list) or any(
        not isinstance(failure, dict) or failure.get("itemIdentifier") not in known for failure in failures
    )
