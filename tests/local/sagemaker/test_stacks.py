"""The CloudFormation types, on a cloud."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import ACCOUNT, Workbench, wait_for

pytestmark = pytest.mark.local_cloud


def template(role: str, name: str, steps: list[Any], tag: str) -> str:
    tags = [{"Key": "stage", "Value": tag}]
    definition = {"PipelineDefinitionBody": json.dumps({"Version": "2020-12-01", "Steps": steps})}
    pipeline = {"PipelineName": name, "PipelineDefinition": definition, "RoleArn": role, "Tags": tags}
    return json.dumps(
        {
            "Resources": {
                "Pipeline": {"Type": "AWS::SageMaker::Pipeline", "Properties": pipeline},
                "Group": {
                    "Type": "AWS::SageMaker::ModelPackageGroup",
                    "Properties": {"ModelPackageGroupName": name, "Tags": tags},
                },
            },
            "Outputs": {
                "Pipeline": {"Value": {"Ref": "Pipeline"}},
                "Group": {"Value": {"Ref": "Group"}},
                "GroupArn": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}},
            },
        }
    )


def outputs(workbench: Workbench, stack: str) -> dict[str, str]:
    def probe() -> dict[str, Any] | None:
        found = workbench.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return None if found["StackStatus"].endswith("IN_PROGRESS") else found

    found = wait_for(probe, "the stack")
    assert found["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), found
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def test_stack_creates_updates_and_deletes_both_types(workbench: Workbench) -> None:
    name = f"stack-{uuid4().hex[:8]}"
    cloudformation, role = workbench.client("cloudformation"), workbench.pipeline_role
    cloudformation.create_stack(StackName=name, TemplateBody=template(role, name, [], "one"))
    group_arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/{name}"
    assert outputs(workbench, name) == {"Pipeline": name, "Group": group_arn, "GroupArn": group_arn}

    steps = [{"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]
    cloudformation.update_stack(StackName=name, TemplateBody=template(role, name, steps, "two"))
    outputs(workbench, name)
    pipeline = workbench.sagemaker.describe_pipeline(PipelineName=name)
    assert json.loads(pipeline["PipelineDefinition"])["Steps"] == steps
    for arn in (pipeline["PipelineArn"], group_arn):
        tags = {tag["Key"]: tag["Value"] for tag in workbench.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        assert tags["stage"] == "two"

    cloudformation.delete_stack(StackName=name)

    def deleted() -> bool:
        try:
            workbench.sagemaker.describe_pipeline(PipelineName=name)
        except ClientError:
            return True
        return False

    wait_for(deleted, "the deletion")
    cloudformation.create_stack(StackName=f"{name}-2", TemplateBody=template(role, name, [], "three"))
    outputs(workbench, f"{name}-2")


def test_refused_definition_fails_the_stack(workbench: Workbench) -> None:
    name = f"stack-{uuid4().hex[:8]}"
    steps = [{"Name": "transform", "Type": "Transform", "Arguments": {}}]
    cloudformation = workbench.client("cloudformation")
    body = template(workbench.pipeline_role, name, steps, "one")
    cloudformation.create_stack(StackName=name, TemplateBody=body, OnFailure="DO_NOTHING")

    def reasons() -> list[str]:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        return [e["ResourceStatusReason"] for e in events if e["ResourceStatus"] == "CREATE_FAILED"]

    assert any(
        "does not implement pipeline steps of type Transform" in reason
        for reason in wait_for(reasons, "failure")
    )
