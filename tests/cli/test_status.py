"""`status` tells what is deployed and how it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber
from rich.console import Console

from cli.aws.clients import Aws
from cli.aws.session import Deployment
from cli.commands.status import report
from contract.layout import live_parameter
from tests.cli.conftest import alarms, deploy

QUEUES = ("ScoreQueueUrl", "ScoreDeadLetterQueueUrl", "TrainingQueueUrl", "TrainingDeadLetterQueueUrl")
ALARM = "millrace-dev-tumor-dead-letters"


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    resources = {name: {"Type": "AWS::SQS::Queue"} for name in QUEUES}
    outputs = {name: {"Ref": name} for name in QUEUES}
    machines = {f"{name}StateMachineArn": machine(aws, name) for name in ("Release", "Batch")}
    pipeline = {"Pipeline": "millrace-dev-tumor"}
    deployed = deploy(aws, "tumor", resources, {**outputs, **machines, **pipeline})
    alarms(deployed, ALARM)
    return deployed


def machine(aws: Aws, name: str) -> str:
    """A state machine, by its ARN."""
    ends = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
    role = "arn:aws:iam::123456789012:role/machine"
    made = aws.stepfunctions.create_state_machine(name=name, definition=json.dumps(ends), roleArn=role)
    return made["stateMachineArn"]


def told(deployed: Deployment, runs: list[dict[str, Any]], endpoint: str = "") -> str:
    with Stubber(deployed.aws.sagemaker) as sagemaker:
        if endpoint:
            sagemaker.add_response("describe_endpoint", described_endpoint(endpoint), {"EndpointName": "e"})
        sagemaker.add_response(
            "list_pipeline_executions",
            {"PipelineExecutionSummaries": runs},
            {"PipelineName": "millrace-dev-tumor", "SortBy": ANY, "SortOrder": "Descending", "MaxResults": 3},
        )
        if runs:
            rejected = {
                "StepName": "reject",
                "StepStatus": "Failed",
                "Metadata": {"Fail": {"ErrorMessage": "roc_auc is 0.6"}},
            }
            sagemaker.add_response("describe_pipeline_execution", {"PipelineExecutionStatus": "Failed"})
            sagemaker.add_response("list_pipeline_execution_steps", {"PipelineExecutionSteps": [rejected]})
        console = Console(width=160)
        with console.capture() as captured:
            console.print(report(deployed))
    return captured.get()


def described_endpoint(status: str) -> dict[str, Any]:
    moment = datetime.now(UTC)
    return {
        "EndpointName": "e",
        "EndpointArn": "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/e",
        "EndpointStatus": status,
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }


def test_before_the_first_training(deployed: Deployment) -> None:
    text = told(deployed, [])

    for part in (
        "no version yet",
        "millrace-dev-tumor-loop",
        "CREATE_COMPLETE",
        "none yet",
        "none of 1 in ALARM",
    ):
        assert part in text


def test_in_operation(deployed: Deployment) -> None:
    live = {
        "model_version": "millrace-dev-tumor/3",
        "model_package_arn": "arn",
        "endpoint": "e",
        "endpoint_config": "e-3",
        "model": "m",
        "released_at": "2026-11-21T09:30:00Z",
    }
    deployed.aws.ssm.put_parameter(Name=live_parameter("dev", "tumor"), Value=json.dumps(live), Type="String")
    deployed.aws.sqs.send_message(QueueUrl=deployed["ScoreDeadLetterQueueUrl"], MessageBody="{}")
    deployed.aws.cloudwatch.put_metric_alarm(
        AlarmName="another-team's", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1
    )
    run = {
        "PipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/abc",
        "PipelineExecutionDisplayName": "run-1234",
        "PipelineExecutionStatus": "Failed",
        "StartTime": datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    }

    text = told(deployed, [run], endpoint="Updating")

    for part in (
        "millrace-dev-tumor/3",
        "since 2026-11-21T09:30:00Z",
        "Updating",
        "run-1234",
        "roc_auc is 0.6",
    ):
        assert part in text
    assert "score, dead letters 1 waiting, 0 in flight" in " ".join(text.split())
    assert "another-team" not in text


def test_an_alarm_that_is_on(deployed: Deployment) -> None:
    deployed.aws.cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="x")

    text = told(deployed, [])

    assert f"{ALARM}  ALARM since" in text


REFUSAL = (
    "The account-level service limit 'ml.m5.large for transform job usage' is 0 Instances, with current utilization "
    "of 0 Instances and a request delta of 1 Instances."
)
REMEDY = "./millrace quotas has the command that asks for more."


def test_the_last_release_is_told_where_it_failed_and_why(deployed: Deployment) -> None:
    execution = {
        "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:Release:1",
        "stateMachineArn": deployed["ReleaseStateMachineArn"],
        "name": "1",
        "status": "FAILED",
        "startDate": datetime(2026, 11, 21, 9, 0, tzinfo=UTC),
    }
    with Stubber(deployed.aws.stepfunctions) as functions:
        functions.add_response("list_executions", {"executions": [execution]})
        functions.add_response("describe_execution", {**execution, "error": "NotLive", "cause": REFUSAL})
        functions.add_response("list_executions", {"executions": []})
        text = " ".join(told(deployed, []).split())

    assert "the last, 2026-11-21 09:00 FAILED" in text
    assert REMEDY in text


def test_a_batch_that_waits_for_instances_is_told_with_what_it_waits_for(deployed: Deployment) -> None:
    now = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    running = [
        {
            "executionArn": f"arn:{name}",
            "stateMachineArn": "arn:m",
            "name": name,
            "status": "RUNNING",
            "startDate": now,
        }
        for name in ("b1", "b2")
    ]

    def history(state: str, **known: Any) -> dict[str, Any]:
        entered = {"name": state, "input": json.dumps(known)}
        events = [
            {"timestamp": now, "type": "WaitStateEntered", "id": 9, "stateEnteredEventDetails": entered},
            {
                "timestamp": now,
                "type": "TaskStateEntered",
                "id": 7,
                "stateEnteredEventDetails": {"name": "Split"},
            },
        ]
        return {"events": events}

    with Stubber(deployed.aws.stepfunctions) as functions:
        functions.add_response("list_executions", {"executions": []})
        functions.add_response("list_executions", {"executions": running})
        waits = history("WaitForTransformInstances", quota={"Cause": REFUSAL})
        functions.add_response("get_execution_history", waits)
        functions.add_response("get_execution_history", history("WaitForSplit", job={"name": "n"}))
        text = " ".join(told(deployed, []).split())

    assert "batches b1 The account-level service limit" in text
    assert REMEDY in text
    assert "b2 running" in text
