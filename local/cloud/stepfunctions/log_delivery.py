"""A state machine that logs needs a role that may: Step Functions looks when it is made or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions as sfn
from ministack.services.cloudformation import provisioners

from local.cloud.cloudformation.reading import peek
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError

SERVICE = "states.amazonaws.com"
ACTIONS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
"""Those that "Logging using CloudWatch Logs" in Step Functions' developer guide asks for."""
REFUSED = "The state machine IAM Role is not authorized to access the Log Destination"


def install(calls: ServiceCalls) -> None:
    """Look at roles in templates and in requests."""
    replace(
        provisioners,
        "_sfn_state_machine_create",
        "logical_id props stack_name",
        lambda original: _deployed(original, calls),
    )
    provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]["create"] = (
        provisioners._sfn_state_machine_create
    )
    replace(sfn, "_create_state_machine", "data", lambda original: _requested(original, calls))
    replace(sfn, "_update_state_machine", "data", lambda original: _requested(original, calls))


def _deployed(original: Callable[..., Any], calls: ServiceCalls) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check(calls, peek(props, "RoleArn"), peek(props, "LoggingConfiguration", "Level"))
        return original(logical_id, props, stack_name)

    return create


def _requested(original: Callable[..., Any], calls: ServiceCalls) -> Callable[..., Any]:
    def request(data: dict[str, Any]) -> Any:
        machine: Mapping[str, Any] = sfn._state_machines.get(data.get("stateMachineArn", "")) or {}
        logging = data.get("loggingConfiguration") or machine.get("loggingConfiguration") or {}
        try:
            _check(calls, data.get("roleArn") or machine.get("roleArn", ""), logging.get("level"))
        except AccessDeniedError as error:
            return error_response_json("AccessDeniedException", str(error), 400)
        return original(data)

    return request


def _check(calls: ServiceCalls, role_arn: str, level: str | None) -> None:
    if level in (None, "OFF"):
        return
    for action in ACTIONS:
        try:
            calls.role(role_arn, SERVICE, action, "*")
        except AccessDeniedError as error:
            raise AccessDeniedError(f"{REFUSED}: {error}") from error
