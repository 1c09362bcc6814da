"""Event source mappings of SQS queues: each reads with its function's role, and a malformed answer of the
function fails its batch. ministack reads with nobody's role and takes such an answer for success."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from ministack.core.responses import error_response_json, request_scope
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from local.cloud.iam import encryption
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.lambda_.functions import SERVICE
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError

ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
PAUSE_SECONDS = 2.0
"""After a refusal the role is asked again when this has passed."""
_reports_failures: ContextVar[bool] = ContextVar("the mapping takes a list of failures", default=False)


def install(calls: ServiceCalls) -> None:
    """Replace how ministack makes mappings, reads queues and takes answers."""
    mappings = _Mappings(calls)
    replace(lambda_svc, "_create_esm", "data", mappings.created)
    replace(provisioners, "_lambda_esm_create", "logical_id props stack_name", mappings.deployed)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    handlers["create"] = provisioners._lambda_esm_create
    replace(lambda_svc, "_iter_all_esms", "", mappings.readable)
    replace(
        lambda_svc,
        "_run_sqs_batch",
        "esm func_rec event batch queue_url queue_name",
        _remembering_the_mapping,
    )
    replace(lambda_svc, "_execute_function", "func event", _believing_no_malformed_answer)


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
                    _check(self._calls, config, data.get("EventSourceArn", ""))
                except AccessDeniedError as error:
                    return error_response_json(
                        "InvalidParameterValueException",
                        f"The provided execution role does not have permissions to call SQS: {error}",
                        400,
                    )
            return original(data)

        return create_esm

    def deployed(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """As `created`, for a template's mapping."""

        def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
            _, config, _ = lambda_svc._get_func_record_for_ref(props.get("FunctionName", ""))
            if config:
                _check(self._calls, config, props.get("EventSourceArn", ""))
            return original(logical_id, props, stack_name)

        return create

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
            _check(self._calls, config, mapping["EventSourceArn"])
        except AccessDeniedError as error:
            mapping["LastProcessingResult"] = f"PROBLEM: {error}"
            self._refused_until[mapping["UUID"]] = time.monotonic() + PAUSE_SECONDS
            return False
        return True


def _check(calls: ServiceCalls, config: Mapping[str, Any], source_arn: str) -> None:
    """Raise AccessDeniedError unless the function's role may read the queue."""
    if ":sqs:" not in source_arn:
        return
    for action in ACTIONS:
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
