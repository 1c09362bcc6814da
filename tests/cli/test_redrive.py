"""What was given up on is done again: once, and only what still matters."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.stub import Stubber

from cli.aws.clients import Aws
from cli.aws.redrive.routes import Result, redrives
from cli.aws.session import Deployment
from cli.kit.errors import CliError
from contract import layout
from tests.cli.conftest import deploy

QUEUES = ("ScoreQueueUrl", "ScoreDeadLetterQueueUrl", "TrainingQueueUrl", "TrainingDeadLetterQueueUrl", "ReleaseDeadLetterQueueUrl", "FailureDeadLetterQueueUrl")  # fmt: skip
GROUP = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/millrace-dev-tumor"
DEFINITION = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    machines = {
        f"{name}StateMachineArn": aws.stepfunctions.create_state_machine(
            name=name, definition=DEFINITION, roleArn="arn:aws:iam::123456789012:role/machine"
        )["stateMachineArn"]
        for name in ("Release", "Batch")
    }
    for bucket in ("artifacts", "results"):
        aws.s3.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": aws.session.region_name}  # type: ignore[typeddict-item]
        )  # fmt: skip
    resources = {name: {"Type": "AWS::SQS::Queue"} for name in QUEUES}
    routes = {
        "ScoreRedriveRoute": {"Fn::Join": ["", ["send ", {"Ref": "ScoreQueueUrl"}]]},
        "TrainingRedriveRoute": {"Fn::Join": ["", ["send ", {"Ref": "TrainingQueueUrl"}]]},
        "ReleaseRedriveRoute": f"start-newest {machines['ReleaseStateMachineArn']}",
        "BatchRedriveRoute": f"restart {machines['BatchStateMachineArn']}",
        "FailureRedriveRoute": "invoke report",
    }
    outputs = {name: {"Ref": name} for name in QUEUES} | {
        "ArtifactsBucket": "artifacts",
        "ResultsBucket": "results",
    }
    return deploy(aws, "tumor", resources, outputs | machines | routes)


def fill(deployed: Deployment, queue: str, *bodies: str) -> None:
    for body in bodies:
        deployed.aws.sqs.send_message(QueueUrl=deployed[queue], MessageBody=body)


def bodies(deployed: Deployment, queue: str) -> list[str]:
    found = []
    while received := deployed.aws.sqs.receive_message(QueueUrl=deployed[queue], MaxNumberOfMessages=10).get(
        "Messages"
    ):
        found += [message["Body"] for message in received]
    return sorted(found)


def quiet(_: str) -> None: ...


@pytest.mark.parametrize("name", ["Score", "Training"])
def test_all_messages_go_back_to_their_queue(deployed: Deployment, name: str) -> None:
    sent = sorted(f"message {n}" for n in range(25))
    fill(deployed, f"{name}DeadLetterQueueUrl", *sent)
    reported: list[str] = []

    assert redrives(deployed)[name.lower()](reported.append) == Result(25, "none left")
    assert bodies(deployed, f"{name}QueueUrl") == sent
    assert bodies(deployed, f"{name}DeadLetterQueueUrl") == []
    assert reported[-1] == "25 of about 25 sent back"


def test_where_nothing_was_given_up_on_nothing_is_done(deployed: Deployment) -> None:
    routes = redrives(deployed)

    assert list(routes) == ["batch", "failure", "release", "score", "training"]
    assert {run(quiet) for run in routes.values()} == {Result(0, "none left")}


def test_stacks_that_put_out_no_routes_are_to_be_deployed_again(deployed: Deployment) -> None:
    older = replace(deployed, outputs={"ScoreQueueUrl": "q", "ScoreDeadLetterQueueUrl": "d"})

    with pytest.raises(CliError, match=r"no redrive routes: .* takes \./millrace deploy"):
        redrives(older)


def test_a_route_of_a_later_version_is_refused(deployed: Deployment) -> None:
    newer = replace(deployed, outputs={"SparkRedriveRoute": "resubmit job"})

    with pytest.raises(CliError, match=r"the redrive route spark is 'resubmit job'.* update the code"):
        redrives(newer)


def approval(version: int, at: str) -> str:
    detail = {"ModelPackageArn": f"{GROUP}/{version}", "ModelApprovalStatus": "Approved"}
    return json.dumps({"time": f"2026-11-21T{at}:00Z", "detail": detail})


def released(deployed: Deployment) -> list[str]:
    functions = deployed.aws.stepfunctions
    executions = functions.list_executions(stateMachineArn=deployed["ReleaseStateMachineArn"])["executions"]
    return [functions.describe_execution(executionArn=e["executionArn"])["input"] for e in executions]


def test_the_newest_approval_is_released_and_overtaken_ones_are_not(deployed: Deployment) -> None:
    newest = approval(9, at="12:02")  # of an older version: somebody went back to it
    approvals = [approval(8, at="12:00"), newest, approval(10, at="12:01"), approval(8, at="12:02")]
    fill(deployed, "ReleaseDeadLetterQueueUrl", *approvals, "no approval", '{"time": "12:03"}')

    assert redrives(deployed)["release"](quiet) == Result(1, "2 left, 3 overtaken")
    assert released(deployed) == [newest]


def test_failed_runs_are_reported_after_all(aws: Aws, deployed: Deployment) -> None:
    sent = ['{"detail": 1}', '{"detail": 2}']
    given_up_on = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": {"detail": 2}}
    fill(deployed, "FailureDeadLetterQueueUrl", sent[0], json.dumps(given_up_on))
    with Stubber(aws.functions) as functions:
        for body in sent:
            call = {"FunctionName": "report", "InvocationType": "Event", "Payload": body.encode()}
            functions.add_response("invoke", {"StatusCode": 202}, call)
        assert redrives(deployed)["failure"](quiet) == Result(2, "none left")
        functions.assert_no_pending_responses()
    assert bodies(deployed, "FailureDeadLetterQueueUrl") == []


def batch(deployed: Deployment, key: str, *, ended: bool = True) -> str:
    name = layout.batch_id(key, "v")
    upload = {"bucket": "data", "key": key, "version_id": "v"}
    deployed.aws.s3.put_object(
        Bucket="artifacts", Key=layout.batch_upload_key(name), Body=json.dumps(upload).encode()
    )
    functions = deployed.aws.stepfunctions
    arn = functions.start_execution(stateMachineArn=deployed["BatchStateMachineArn"], name=name)[
        "executionArn"
    ]
    if ended:
        functions.stop_execution(executionArn=arn)
    return name


def batches(deployed: Deployment) -> set[Any]:
    machine = deployed["BatchStateMachineArn"]
    executions = deployed.aws.stepfunctions.list_executions(stateMachineArn=machine)["executions"]
    return {execution["name"] for execution in executions}


def test_a_failed_batch_is_started_again_where_its_upload_has_no_outcome(deployed: Deployment) -> None:
    failed, scored, refused = (
        batch(deployed, f"score/{name}.csv") for name in ("failed", "scored", "refused")
    )
    running = batch(deployed, "score/running.csv", ended=False)
    s3 = deployed.aws.s3
    s3.put_object(Bucket="results", Key=layout.scored_key("score/scored.csv", "v", "csv.gz"), Body=b"")
    s3.put_object(Bucket="results", Key=layout.unscorable_key("score/refused.csv", "v"), Body=b"")

    assert redrives(deployed)["batch"](quiet) == Result(1, "none left")
    assert batches(deployed) == {failed, scored, refused, running, f"{failed}-1"}
    assert redrives(deployed)["batch"](quiet) == Result(0, "none left")


def test_a_message_that_sqs_does_not_take_stays(deployed: Deployment) -> None:
    fill(deployed, "ScoreDeadLetterQueueUrl", "one")
    refused = {"Failed": [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]}
    http = type("HTTPResponse", (), {"status_code": 200})()
    deployed.aws.sqs.meta.events.register(
        "before-call.sqs.SendMessageBatch",
        lambda **_: (http, refused),  # type: ignore[arg-type]  # botocore takes it for the answer
    )

    with pytest.raises(CliError, match="InternalError"):
        redrives(deployed)["score"](quiet)

    (waiting,) = deployed.aws.sqs.get_queue_attributes(
        QueueUrl=deployed["ScoreDeadLetterQueueUrl"],
        AttributeNames=["ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"].values()
    assert waiting == "1"
