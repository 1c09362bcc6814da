"""EventBridge as AWS delivers: as policies and roles allow, else into the target's dead-letter queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import eventbridge, lambda_svc, sns, sqs
from ministack.services import stepfunctions as sfn

from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.iam.service_calls import ServiceCalls, over_tls
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError

SERVICE = "events.amazonaws.com"
logger = logging.getLogger(__name__)


class _UndeliverableError(Exception):
    """The target cannot take the event. `code` is EventBridge's ERROR_CODE."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install(calls: ServiceCalls, measurements: Measurements) -> None:
    """Check each delivery before ministack makes it; ministack asks nobody."""
    delivery = _Delivery(calls, measurements)
    replace(eventbridge, "_invoke_target", "target event rule view", delivery.checked)


class _Delivery:
    def __init__(self, calls: ServiceCalls, measurements: Measurements) -> None:
        self._calls = calls
        self._measurements = measurements

    def checked(self, original: Callable[..., None]) -> Callable[..., None]:
        def invoke_target(
            target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
        ) -> None:
            dimensions = {"RuleName": rule["Name"]}
            self._measurements.put("AWS/Events", "Invocations", 1, "Count", dimensions)
            try:
                self._check(target, rule["Arn"])
            except _UndeliverableError as error:
                logger.warning("EventBridge rule %s: %s", rule["Name"], error)
                self._measurements.put("AWS/Events", "FailedInvocations", 1, "Count", dimensions)
                self._bury(target, event, rule, error)
                return
            original(target, event, rule, view)

        return invoke_target

    def _check(self, target: Mapping[str, Any], rule_arn: str) -> None:
        """AWS retries for up to a day before it gives up; here the first refusal is the last."""
        arn = target["Arn"]
        service = arn.split(":")[2]
        check = {
            "sqs": self._queue,
            "sns": self._topic,
            "lambda": self._function,
            "states": self._state_machine,
        }.get(service)
        if check is None:
            raise _UndeliverableError(
                "UNSUPPORTED", f"the local cloud does not deliver events to {service} ({arn})"
            )
        try:
            check(target, arn, rule_arn)
        except AccessDeniedError as error:
            raise _UndeliverableError("NO_PERMISSIONS", str(error)) from error

    def _queue(self, _target: Mapping[str, Any], arn: str, rule_arn: str) -> None:
        _must_exist(sqs._queue_by_arn(arn), arn)
        self._calls.send_to_queue(arn, SERVICE, rule_arn)

    def _topic(self, _target: Mapping[str, Any], arn: str, rule_arn: str) -> None:
        _must_exist(sns._topic_by_arn_any_scope(arn), arn)
        self._calls.publish(arn, SERVICE, rule_arn)

    def _function(self, _target: Mapping[str, Any], arn: str, rule_arn: str) -> None:
        _must_exist(lambda_svc._get_func_record_for_ref(arn)[0], arn)
        self._calls.invoke(arn, SERVICE, rule_arn)

    def _state_machine(self, target: Mapping[str, Any], arn: str, rule_arn: str) -> None:
        _must_exist(sfn._resolve_state_machine_arn(arn), arn)
        self._calls.role(target.get("RoleArn", ""), SERVICE, "states:StartExecution", arn, rule_arn)

    def _bury(
        self,
        target: Mapping[str, Any],
        event: Mapping[str, Any],
        rule: Mapping[str, Any],
        error: _UndeliverableError,
    ) -> None:
        """Put the event into the target's dead-letter queue, as EventBridge does, if it may."""
        queue_arn = (target.get("DeadLetterConfig") or {}).get("Arn")
        dimensions = {"RuleName": rule["Name"]}
        if not queue_arn:
            return
        try:
            _must_exist(sqs._queue_by_arn(queue_arn), queue_arn)
            self._calls.send_to_queue(queue_arn, SERVICE, rule["Arn"])
        except (AccessDeniedError, _UndeliverableError) as refusal:
            logger.warning("EventBridge rule %s: its dead-letter queue: %s", rule["Name"], refusal)
            self._measurements.put("AWS/Events", "InvocationsFailedToBeSentToDlq", 1, "Count", dimensions)
            return
        attributes = {
            "RULE_ARN": rule["Arn"],
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": str(error),
        }
        message = {
            "QueueUrl": sqs._queue_by_arn(queue_arn)["url"],
            "MessageBody": json.dumps(eventbridge._pattern_event_view(event).event_with_detail()),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        }
        with over_tls():
            sqs._act_send_message(message, message["QueueUrl"])
        self._measurements.put("AWS/Events", "InvocationsSentToDlq", 1, "Count", dimensions)


def _must_exist(resource: object, arn: str) -> None:
    if not resource:
        raise _UndeliverableError(
            "RESOURCE_NOT_FOUND", f"{arn} does not exist in {get_account_id()} {get_region()}"
        )
