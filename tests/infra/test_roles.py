"""Who may do what: least privilege, written by hand, one role for each who acts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from infra.kit.iam import Allow
from infra.training.pipeline.step_names import JOBS
from infra.training.pipeline.template import definitions, render
from tests.infra.machines import machine_of
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


BOUNDLESS = {"ecr:GetAuthorizationToken", "sagemaker:ListProcessingJobs", "sagemaker:ListTransformJobs"}
"""Actions that have no resources, besides those of log delivery."""


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def references(node: Any, name: str) -> int:
    """How often a node refers to a resource, be it by an export that is named after it."""
    if isinstance(node, dict):
        if node.get("Ref") == name or as_list(node.get("Fn::GetAtt"))[0] == name:
            return 1
        if str(node.get("Fn::ImportValue")).endswith(f":{name.rstrip('0123456789ABCDEF')}Arn"):
            return 1
        return sum(references(value, name) for value in node.values())
    return sum(references(item, name) for item in node) if isinstance(node, list) else 0


def test_every_role_is_assumed_by_one_service_of_this_account(stacks: Synthesis) -> None:
    roles = stacks.of_type("AWS::IAM::Role")
    assert len(roles) > 15
    for role in roles.values():
        [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"]["Service"]
        account = stacks.configuration.environment.account
        expected = (
            {} if service == "lambda.amazonaws.com" else {"StringEquals": {"aws:SourceAccount": account}}
        )
        assert statement.get("Condition", {}) == expected


def test_no_role_has_a_policy_that_others_write(stacks: Synthesis) -> None:
    for role in stacks.of_type("AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
    assert not stacks.of_type("AWS::IAM::Policy")
    assert not stacks.of_type("AWS::IAM::ManagedPolicy")


def test_no_two_principals_share_a_role(stacks: Synthesis) -> None:
    users: Counter[str] = Counter()
    acting = ("AWS::Lambda::Function", "AWS::StepFunctions::StateMachine", "AWS::Events::Rule")
    for name in stacks.of_type("AWS::IAM::Role"):
        for kind in acting:
            for resource in stacks.of_type(kind).values():
                properties = dict(resource["Properties"])
                definition = properties.pop("DefinitionString", None)
                users[name] += references(properties, name) + references(definition, name)
    [pipeline] = stacks.of_type("AWS::SageMaker::Pipeline").values()
    users.update(name for name in users if references(pipeline["Properties"]["RoleArn"], name))
    [definition] = definitions(stacks.loop).values()
    jobs = [step["Arguments"]["RoleArn"] for step in definition["Steps"] if step["Name"] in JOBS]
    users.update(arn.rsplit("/", 1)[1] for arn in jobs)
    [earlier] = [name for name in users if name.startswith("ReleaseServingRole")]
    assert users.pop(earlier) == 0, "kept for models of version 0.1.0"
    assert set(users.values()) == {1}, users


def test_the_role_of_a_live_model_outlives_the_loop(stacks: Synthesis) -> None:
    """A model that is live knows of no stack: its endpoint and its batches go on when the loop is deleted."""
    [role] = [name for name in stacks.storage["Resources"] if name.startswith("ServingRole")]
    [earlier] = [name for name in stacks.loop["Resources"] if name.startswith("ReleaseServingRole")]
    for resource in (stacks.storage["Resources"][role], stacks.loop["Resources"][earlier]):
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
    [exported] = [
        output["Export"]["Name"]
        for output in stacks.storage["Outputs"].values()
        if output["Value"] == {"Fn::GetAtt": [role, "Arn"]}
    ]
    release = machine_of(stacks, "-release")
    assert release["States"]["CreateModel"]["Parameters"]["ExecutionRoleArn"].endswith(
        exported.rpartition(":")[2]
    )


def test_every_wildcard_has_a_written_reason(stacks: Synthesis) -> None:
    found = 0
    for name, role in stacks.of_type("AWS::IAM::Role").items():
        nag = role.get("Metadata", {}).get("cdk_nag", {"rules_to_suppress": []})
        written = {rule["id"]: rule["reason"] for rule in nag["rules_to_suppress"]}
        for statement in statements(role):
            actions = as_list(statement["Action"])
            assert not [action for action in actions if "*" in action], f"{name}: {actions}"
            for resource in map(render, as_list(statement["Resource"])):
                if "*" in resource:
                    found += 1
                    key = "AwsSolutions-IAM5[Resource::"
                    reasons = [
                        reason for rule, reason in written.items()
                        if rule.startswith(key) and rule[:-1].replace(">", "").endswith(resource[-20:])
                    ]  # fmt: skip
                    assert reasons, f"{name}: no reason for {resource}"
                    assert all(len(reason) > 20 for reason in reasons)
    assert found > 30


def test_nobody_lists_more_of_a_bucket_than_some_prefixes(stacks: Synthesis) -> None:
    found = 0
    for name, role in stacks.of_type("AWS::IAM::Role").items():
        for statement in statements(role):
            if {"s3:ListBucket", "s3:ListBucketVersions"} & {*as_list(statement["Action"])}:
                found += 1
                prefixes = as_list(statement["Condition"]["StringLike"]["s3:prefix"])
                assert all(prefix.removesuffix("*") for prefix in prefixes), name
    assert found > 10


def test_a_statement_with_a_wildcard_and_no_reason_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="needs a reason"):
        Allow(actions=["s3:GetObject"], resources=["arn:aws:s3:::bucket/*"])
    with pytest.raises(ValueError, match="needs a reason"):
        Allow(actions=["s3:Get*"], resources=["arn:aws:s3:::bucket/key"])


def test_only_what_has_no_resources_is_allowed_on_all(stacks: Synthesis) -> None:
    boundless = {
        action
        for role in stacks.of_type("AWS::IAM::Role").values()
        for statement in statements(role)
        if "*" in as_list(statement["Resource"])
        for action in as_list(statement["Action"])
        if "Condition" not in statement
    }
    assert {action for action in boundless if not action.startswith("logs:")} == BOUNDLESS
    assert all("Deliver" in a or "Describe" in a or a == "logs:PutResourcePolicy" for a in boundless - BOUNDLESS)  # fmt: skip


def test_roles_are_passed_only_to_sagemaker_and_by_name(stacks: Synthesis) -> None:
    passing = [
        statement
        for role in stacks.of_type("AWS::IAM::Role").values()
        for statement in statements(role)
        if "iam:PassRole" in as_list(statement["Action"])
    ]
    assert sorted(len(as_list(s["Resource"])) for s in passing) == [1, 1, 3, 4]
    for statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert all(
            set(resource) in ({"Fn::GetAtt"}, {"Fn::ImportValue"})
            for resource in as_list(statement["Resource"])
        )


def test_the_key_is_used_through_one_service_only(stacks: Synthesis) -> None:
    for role in stacks.of_type("AWS::IAM::Role").values():
        for statement in statements(role):
            actions = [action for action in as_list(statement["Action"]) if action.startswith("kms:")]
            if actions and actions != ["kms:DescribeKey"]:
                assert "kms:ViaService" in json.dumps(statement) or "GrantIsForAWSResource" in json.dumps(
                    statement
                )


@pytest.mark.parametrize("job", JOBS)
def test_a_job_writes_under_its_own_name_only(stacks: Synthesis, job: str) -> None:
    [role] = [
        r for name, r in stacks.of_type("AWS::IAM::Role").items() if name.startswith(f"Training{job.capitalize()}Role")
    ]  # fmt: skip
    written = [
        render(resource)
        for statement in statements(role)
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert [resource.split("ArtifactsBucket/")[1] for resource in written] == [f"runs/*/{job}/*"]


def test_nobody_may_delete_data_and_one_may_hide_why_an_upload_was_unscorable(stacks: Synthesis) -> None:
    deletes = {
        (action, render(resource).rpartition(":")[2])
        for role in stacks.of_type("AWS::IAM::Role").values()
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if "Delete" in action and action.startswith(("s3:", "kms:"))
    }
    # Without a version's id that hides an object of a bucket with versions, and deletes nothing.
    assert deletes == {
        ("s3:DeleteObject", "ResultsBucket/unscorable/*"),
        ("s3:DeleteObject", "ArtifactsBucket/monitoring/inbox/*"),
    }


def test_reconciliation_only_looks_sends_and_remembers(stacks: Synthesis) -> None:
    [role] = [r for name, r in stacks.of_type("AWS::IAM::Role").items() if name.startswith("Reconciliation")]
    allowed = {
        (action, render(resource).rpartition(":")[2])
        for statement in statements(role)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if not action.startswith(("logs:", "kms:"))
    }
    [queue] = [name for name in stacks.of_type("AWS::SQS::Queue") if name.startswith("ScoringUploadsQueue")]
    machines = stacks.of_type("AWS::StepFunctions::StateMachine")
    [batch] = [name for name in machines if name.startswith("Batch")]
    assert allowed == {
        ("s3:ListBucket", "DataBucket"),
        ("s3:ListBucketVersions", "DataBucket"),
        ("s3:ListBucket", "ResultsBucket"),
        ("s3:ListBucket", "ArtifactsBucket"),
        ("s3:GetObject", "ArtifactsBucket/reconciliation/progress.json"),
        ("s3:PutObject", "ArtifactsBucket/reconciliation/progress.json"),
        ("states:ListExecutions", render({"Fn::GetAtt": [batch, "Arn"]}).rpartition(":")[2]),
        ("sqs:SendMessage", render({"Fn::GetAtt": [queue, "Arn"]}).rpartition(":")[2]),
    }


def test_everything_that_can_be_tagged_is(prod: Synthesis) -> None:
    for kind in ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Lambda::Function", "AWS::SageMaker::Pipeline"):  # fmt: skip
        for resource in prod.of_type(kind).values():
            tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
            assert {"project": "millrace", "environment": "prod", "model": "tumor"}.items() <= tags.items()
            assert tags["owner"] == "data-science"
