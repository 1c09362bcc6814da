"""Step Functions as AWS runs it: each task is a call through the gateway by the state machine's role.

ministack calls its services directly, with nobody's permissions. Here every lambda:invoke, aws-sdk and
optimised integration is a boto3 call with temporary credentials of the role, and errors get AWS's names.
The state machine's own TimeoutSeconds is kept, and executions become metrics. Texts and times are
compared with other paths, too.
"""

from __future__ import annotations

import contextvars
import json
import re
import threading
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from ministack.services import stepfunctions as sfn

from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.iam.principals import Principals
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError, Credentials
from local.cloud.stepfunctions import sdk_integrations as sdk

SERVICE = "states.amazonaws.com"
_COMPARES_PATHS = re.compile(r"(String|Timestamp)(Equals|(Less|Greater)Than(Equals)?)Path")
_BOTO3_NAMES = {
    "sfn": "stepfunctions",
    "eventbridge": "events",
    "cloudwatchlogs": "logs",
    "applicationautoscaling": "application-autoscaling",
}
_credentials: contextvars.ContextVar[Credentials] = contextvars.ContextVar("the running machine's role")


def install(principals: Principals, measurements: Measurements) -> None:
    """Replace ministack's dispatch of tasks."""
    tasks = Tasks(principals)
    replace(sfn, "_run_execution", "exec_arn", lambda original: _as_role(original, principals))
    replace(sfn, "_call_lambda", "func_ref event", lambda _: tasks.invoke_function)
    replace(sfn, "_invoke_aws_sdk_integration", "resource input_data", lambda _: tasks.call)
    replace(sfn, "_invoke_nested_start_execution", "resource input_data", lambda _: tasks.call)
    replace(sfn, "_invoke_nested_start_execution_sync", "resource input_data", lambda _: tasks.call)
    for resource in sfn._SERVICE_DISPATCH:
        sfn._SERVICE_DISPATCH[resource] = tasks.call
    replace(sfn, "_fail_execution", "execution error cause", _only_while_running)
    replace(sfn, "_evaluate_rule", "rule data ctx", _comparing_paths)
    replace(
        sfn, "_emit_execution_status_event", "execution", lambda original: _measured(original, measurements)
    )


def _comparing_paths(original: Callable[..., bool]) -> Callable[..., bool]:
    """`StringGreaterThanPath` and its like; ministack knows them of numbers only, and says no to others."""

    def evaluate_rule(rule: dict[str, Any], data: Any, ctx: Any = None) -> bool:
        compared = {
            name.removesuffix("Path"): sfn._resolve_path_or_ctx(path, data, ctx)
            for name, path in rule.items()
            if _COMPARES_PATHS.fullmatch(name)
        }
        return original({"Variable": rule["Variable"], **compared} if compared else rule, data, ctx)

    return evaluate_rule


class Tasks:
    """Carries out the tasks of the execution that this thread runs."""

    def __init__(self, principals: Principals) -> None:
        self._principals = principals

    def invoke_function(self, function: str, event: Any) -> Any:
        """The function's answer. An error of the function is the task's, with its type as the name."""
        client = self._client("lambda")
        try:
            answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        except ClientError as error:
            raise sdk.task_error("lambda", client, error) from error
        payload = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            name = payload.get("errorType") if isinstance(payload, dict) else None
            raise sfn._ExecutionError(name or "Lambda.Unknown", json.dumps(payload))
        return payload

    def call(self, resource: str, arguments: Any) -> Any:
        """The answer of `arn:aws:states:::[aws-sdk:]<service>:<action>`, named as SDK integrations do."""
        service, action = sdk.service_and_action(resource)
        client = self._client(_BOTO3_NAMES.get(service, service))
        operation = sdk.operation(client, action, resource)
        shape = client.meta.service_model.operation_model(operation).input_shape
        parameters = sdk.parameters(arguments or {}, shape) if shape else {}
        try:
            answer = client._make_api_call(operation, parameters)
        except ClientError as error:
            raise sdk.task_error(service, client, error) from error
        except BotoCoreError as error:
            raise sfn._ExecutionError("States.Runtime", f"{resource}: {error}") from error
        answer.pop("ResponseMetadata", None)
        return sdk.as_sdk_result(answer)

    def _client(self, service: str) -> Any:
        return self._principals.client(service, _credentials.get())


def _as_role(original: Callable[[str], None], principals: Principals) -> Callable[[str], None]:
    def run_execution(exec_arn: str) -> None:
        execution = sfn._executions[exec_arn]
        machine = sfn._state_machines[execution["stateMachineArn"]]
        try:
            credentials = principals.credentials_for(
                machine["roleArn"], SERVICE, execution["name"][:64], machine["stateMachineArn"]
            )
        except AccessDeniedError as error:
            sfn._fail_execution(execution, "States.Runtime", str(error))
            return
        _credentials.set(credentials)
        timer = _timer(execution, json.loads(machine["definition"]).get("TimeoutSeconds"))
        original(exec_arn)
        timer.cancel()

    return run_execution


def _timer(execution: dict[str, Any], seconds: float | None) -> threading.Timer:
    """Ends the execution when the machine's TimeoutSeconds have passed. ministack knows no such limit."""

    def time_out() -> None:
        if execution["status"] == "RUNNING":
            execution.update(
                status="TIMED_OUT", error="States.Timeout", cause=None, stopDate=sfn.now_iso(), output=None
            )
            sfn._add_event(execution, "ExecutionTimedOut", {})
            sfn._emit_execution_status_event(execution)

    context = contextvars.copy_context()
    timer = threading.Timer(seconds or threading.TIMEOUT_MAX, lambda: context.run(time_out))
    timer.daemon = True
    if seconds is not None:
        timer.start()
    return timer


def _only_while_running(original: Callable[..., None]) -> Callable[..., None]:
    """A task that fails after its execution was stopped or timed out changes nothing any more."""

    def fail_execution(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail_execution


def _measured(original: Callable[..., None], measurements: Measurements) -> Callable[..., None]:
    names = {
        "RUNNING": "ExecutionsStarted",
        "SUCCEEDED": "ExecutionsSucceeded",
        "FAILED": "ExecutionsFailed",
        "TIMED_OUT": "ExecutionsTimedOut",
        "ABORTED": "ExecutionsAborted",
    }

    def emit_execution_status_event(execution: dict[str, Any]) -> None:
        dimensions = {"StateMachineArn": execution["stateMachineArn"]}
        measurements.put("AWS/States", names[execution["status"]], 1, "Count", dimensions)
        original(execution)

    return emit_execution_status_event
