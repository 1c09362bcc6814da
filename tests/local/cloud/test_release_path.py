"""EventBridge → Step Functions → AWS APIs, with the rule's role and the machine's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.local_cloud
Eventually = Callable[..., Any]


def run(stack: Any, eventually: Eventually, **arguments: Any) -> dict[str, Any]:
    """Run the machine to its end."""
    client = stack.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=stack["Machine"], input=json.dumps(arguments))[
        "executionArn"
    ]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    described: dict[str, Any] = eventually(ended)
    return described


def test_tasks_return_what_the_apis_do_and_fail_under_the_names_of_step_functions(
    stack: Any, eventually: Eventually
) -> None:
    execution = run(stack, eventually, name="/test/live")
    assert execution["status"] == "SUCCEEDED", execution
    output = json.loads(execution["output"])
    assert output["asked"]["Payload"] == {"echo": {"name": "/test/live"}}
    assert output["error"]["Error"] == "Ssm.ParameterNotFoundException"
    assert output["read"]["Parameter"]["Type"] == "String"


def test_a_function_error_has_the_name_of_its_class(stack: Any, eventually: Eventually) -> None:
    execution = run(stack, eventually, name="/test/x", refuse=True)
    assert (execution["error"], execution["cause"]) == ("Refused", "the package is not approved")


def test_a_task_may_do_only_what_the_machine_role_may(stack: Any, eventually: Eventually) -> None:
    execution = run(stack, eventually, name="/elsewhere/x")
    assert execution["status"] == "FAILED"
    assert f"assumed-role/{stack['MachineRole']}/" in execution["cause"]
    assert "is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:" in execution["cause"]
    assert stack.denied("ssm:GetParameter")["resource"].endswith("parameter/elsewhere/x")


def test_a_function_is_invoked_with_the_machine_role(stack: Any, eventually: Eventually) -> None:
    with stack.without_policy("MachineRole", "function"):
        execution = run(stack, eventually, name="/test/x")
    assert execution["error"] == "Lambda.AWSLambdaException"
    assert "lambda:InvokeFunction" in execution["cause"]


def put_event(stack: Any, kind: str, **detail: str) -> None:
    entry = {"Source": "test", "DetailType": kind, "Detail": json.dumps(detail)}
    stack.client("events").put_events(Entries=[entry])


def undelivered(stack: Any, eventually: Eventually) -> dict[str, str]:
    """What EventBridge says of the next test event in the dead-letter queue."""

    def found() -> list[dict[str, Any]]:
        messages = stack.receive("DeadLetters")
        return [message for message in messages if json.loads(message["Body"]).get("source") == "test"]

    attributes = eventually(found)[0]["MessageAttributes"]
    return {name: attribute["StringValue"] for name, attribute in attributes.items()}


def test_an_event_starts_the_machine_with_the_rules_input(stack: Any, eventually: Eventually) -> None:
    put_event(stack, "Approved", name="/test/by-event")
    ssm = stack.client("ssm")
    eventually(lambda: ssm.get_parameters(Names=["/test/by-event"])["Parameters"])


def test_an_event_that_may_not_start_the_machine_lands_in_the_rules_dead_letter_queue(
    stack: Any, eventually: Eventually
) -> None:
    with stack.without_policy("ReleaseRole", "start"):
        put_event(stack, "Approved", name="/test/never")
        attributes = undelivered(stack, eventually)
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "states:StartExecution" in attributes["ERROR_MESSAGE"]
    assert stack.denied("states:StartExecution")["resource"] == stack["Machine"]


def test_an_event_invokes_a_function_only_when_its_policy_says_so(stack: Any, eventually: Eventually) -> None:
    put_event(stack, "Ping", number="1")
    assert "lambda:InvokeFunction" in undelivered(stack, eventually)["ERROR_MESSAGE"]
    stack.client("lambda").add_permission(
        FunctionName=stack["Worker"],
        StatementId="events",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=stack["PingRule"],
    )
    put_event(stack, "Ping", number="2")
    logs = stack.client("logs")
    group = {"logGroupName": f"/aws/lambda/{stack['Worker']}"}
    eventually(lambda: logs.filter_log_events(**group, filterPattern='"pong 2"')["events"])
