"""No message and no event can be lost in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ministack.services import eventbridge

from infra.training.pipeline.shapes import operation
from tests.synthesis import Resources, Synthesis

pytestmark = pytest.mark.synth


def dead_letters(stacks: Synthesis) -> set[str]:
    """Queues that are named as dead-letter targets by queues, rules or subscriptions."""
    found = set()
    for queue in stacks.of_type("AWS::SQS::Queue").values():
        if redrive := queue["Properties"].get("RedrivePolicy"):
            found.add(redrive["deadLetterTargetArn"]["Fn::GetAtt"][0])
    for rule in stacks.of_type("AWS::Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            if "DeadLetterConfig" in target:
                found.add(target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0])
    for subscription in stacks.of_type("AWS::SNS::Subscription").values():
        found.add(subscription["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0])
    return found


def on_events(stacks: Synthesis) -> Resources:
    """The rules that wait for events rather than for a time."""
    rules = stacks.of_type("AWS::Events::Rule").items()
    return {name: rule for name, rule in rules if "EventPattern" in rule["Properties"]}


def statements(stacks: Synthesis) -> dict[str, list[dict[str, Any]]]:
    return {
        queue["Ref"]: policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in stacks.of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Properties"]["Queues"]
    }


def test_every_queue_has_dead_letters_or_is_one(stacks: Synthesis) -> None:
    queues = stacks.of_type("AWS::SQS::Queue")
    dead = dead_letters(stacks)
    for name, queue in queues.items():
        read_by_people = name.startswith("PagingInbox")
        assert name in dead or "RedrivePolicy" in queue["Properties"] or read_by_people, name
    assert dead


def test_messages_are_kept_as_long_as_sqs_can_and_encrypted(stacks: Synthesis) -> None:
    for queue in stacks.of_type("AWS::SQS::Queue").values():
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_every_queue_refuses_plain_http(stacks: Synthesis) -> None:
    policies = statements(stacks)
    for name in stacks.of_type("AWS::SQS::Queue"):
        assert any(
            s["Effect"] == "Deny" and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for s in policies[name]
        ), name


def test_every_rule_may_send_to_its_target_and_to_its_dead_letters(stacks: Synthesis) -> None:
    policies = statements(stacks)
    rules = on_events(stacks)
    assert rules
    for name, rule in rules.items():
        [target] = rule["Properties"]["Targets"]
        arns = [target["Arn"], target["DeadLetterConfig"]["Arn"]]
        for queue in {arn["Fn::GetAtt"][0] for arn in arns} & set(policies):
            assert any(
                s["Principal"] == {"Service": "events.amazonaws.com"}
                and "sqs:SendMessage" in s["Action"]
                and s["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [name, "Arn"]}}}
                for s in policies[queue]
            ), f"{name} may not send to {queue}"


def test_uploads_reach_the_queue_of_their_prefix(stacks: Synthesis) -> None:
    patterns = {
        json.dumps(rule["Properties"]["EventPattern"]["detail"]["object"]["key"]): rule["Properties"]
        for rule in on_events(stacks).values()
        if rule["Properties"]["EventPattern"]["source"] == ["aws.s3"]
    }
    buckets = {"score/": "DataBucket", "training/": "DataBucket", "scored/": "ResultsBucket"}
    assert {json.loads(key)[0]["prefix"] for key in patterns} == set(buckets)
    for key, properties in patterns.items():
        pattern = properties["EventPattern"]
        assert pattern["detail-type"] == ["Object Created"]
        assert buckets[json.loads(key)[0]["prefix"]] in json.dumps(pattern["detail"]["bucket"]["name"])


def test_only_approvals_of_this_model_are_released(stacks: Synthesis) -> None:
    kind = "SageMaker Model Package State Change"
    [rule] = [
        rule["Properties"]
        for rule in on_events(stacks).values()
        if rule["Properties"]["EventPattern"]["detail-type"] == [kind]
    ]

    def released(**detail: Any) -> bool:
        group = f"millrace-{stacks.configuration.environment_name}-tumor"
        told = {"ModelPackageGroupName": group, "ModelApprovalStatus": "Approved", **detail}
        event = {"Source": "aws.sagemaker", "DetailType": kind, "Detail": json.dumps(told)}
        return bool(eventbridge._matches_pattern(json.dumps(rule["EventPattern"]), event))

    assert released(UpdatedModelPackageFields=["ApprovalDescription", "ModelApprovalStatus", "ModelCard"])
    assert released(), "registered as approved"
    assert released(UpdatedModelPackageFields=[]), "likewise"
    assert released(UpdatedModelPackageFields=None), "likewise"
    assert not released(UpdatedModelPackageFields=["CustomerMetadataProperties"]), "approved long ago"
    update: Any = operation("UpdateModelPackage").input_shape
    for edit in set(update.members) - {"ModelPackageArn", "ClientToken"}:
        assert released(UpdatedModelPackageFields=[edit]) is (edit == "ModelApprovalStatus"), edit
    assert not released(ModelApprovalStatus="Rejected")
    assert not released(ModelPackageGroupName="another")


def test_only_failed_runs_of_this_model_are_reported(stacks: Synthesis) -> None:
    kind = "SageMaker Model Building Pipeline Execution Status Change"
    [rule] = [
        rule["Properties"]
        for rule in on_events(stacks).values()
        if rule["Properties"]["EventPattern"]["detail-type"] == [kind]
    ]
    detail = rule["EventPattern"]["detail"]
    assert detail["currentPipelineExecutionStatus"] == ["Failed"]
    [pipeline] = detail["pipelineArn"]
    assert f"pipeline/millrace-{stacks.configuration.environment_name}-tumor" in json.dumps(pipeline)


def test_an_event_that_a_function_could_not_handle_is_kept(stacks: Synthesis) -> None:
    """Lambda itself would forget it after two more tries."""
    configs = {
        config["Properties"]["FunctionName"]["Ref"]: config["Properties"]
        for config in stacks.of_type("AWS::Lambda::EventInvokeConfig").values()
    }
    functions, roles = stacks.of_type("AWS::Lambda::Function"), stacks.of_type("AWS::IAM::Role")
    invoked = {
        target["Arn"]["Fn::GetAtt"][0]: target["DeadLetterConfig"]["Arn"]
        for rule in on_events(stacks).values()
        for target in rule["Properties"]["Targets"]
        if target["Arn"]["Fn::GetAtt"][0] in functions
    }
    assert invoked
    assert set(configs) == set(invoked)
    for function, queue in invoked.items():
        assert configs[function]["Qualifier"] == "$LATEST"
        assert configs[function]["DestinationConfig"]["OnFailure"]["Destination"] == queue
        [policy] = roles[functions[function]["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]["Policies"]
        sends = [
            s["Resource"] for s in policy["PolicyDocument"]["Statement"] if s["Action"] == "sqs:SendMessage"
        ]
        assert sends == [queue], function


def test_what_is_called_on_a_schedule_may_be(stacks: Synthesis) -> None:
    rules = stacks.of_type("AWS::Events::Rule").items()
    scheduled = {name: rule["Properties"] for name, rule in rules if name not in on_events(stacks)}
    permissions = [p["Properties"] for p in stacks.of_type("AWS::Lambda::Permission").values()]
    settings = stacks.configuration.environment
    every = {
        "Reconciliation": settings.reconciliation.every_minutes,
        "Monitoring": settings.monitoring.every_minutes,
    }
    assert len(scheduled) == len(every)
    for name, rule in scheduled.items():
        [minutes] = [minutes for begins, minutes in every.items() if name.startswith(begins)]
        assert rule["ScheduleExpression"] in (f"rate({minutes} minute{'s' * (minutes > 1)})", "rate(1 hour)")
        [target] = rule["Targets"]
        if "RoleArn" in target:
            continue  # `test_a_rule_that_starts_a_state_machine_has_a_role_for_it`
        [permission] = [p for p in permissions if p["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}]
        assert permission["Principal"] == "events.amazonaws.com"
        assert permission["FunctionName"] == target["Arn"]


def test_a_rule_that_starts_a_state_machine_has_a_role_for_it(stacks: Synthesis) -> None:
    roles, started = stacks.of_type("AWS::IAM::Role"), []
    for rule in stacks.of_type("AWS::Events::Rule").values():
        for target in (t for t in rule["Properties"]["Targets"] if "RoleArn" in t):
            role = roles[target["RoleArn"]["Fn::GetAtt"][0]]["Properties"]
            [statement] = role["Policies"][0]["PolicyDocument"]["Statement"]
            assert (statement["Action"], statement["Resource"]) == ("states:StartExecution", target["Arn"])
            started.append(target["Id"])
    assert sorted(started) == ["Monitor", "Release"]


def test_receives_and_concurrency_are_as_configured(stacks: Synthesis) -> None:
    settings = stacks.configuration.environment.scoring
    queues = stacks.of_type("AWS::SQS::Queue")
    [queue] = [q["Properties"] for name, q in queues.items() if name.startswith("ScoringUploadsQueue")]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == settings.max_receives
    mappings = stacks.of_type("AWS::Lambda::EventSourceMapping")
    [mapping] = [m["Properties"] for name, m in mappings.items() if name.startswith("Scoring")]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": settings.max_concurrency}
