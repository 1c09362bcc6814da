"""Every policy of the stacks as IAM would get it: with real ARNs for what the templates refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.synthesis import Synthesis

PARTITION, ACCOUNT, REGION = "aws", "111122223333", "eu-west-1"
_PSEUDO = {
    "AWS::Partition": PARTITION,
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{{}}",
}
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}
POLICY_OF = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
"""The property that holds a resource's own policy."""

Document = dict[str, Any]


class Resolved:
    """The values of a synthesis with its references resolved."""

    def __init__(self, stacks: Synthesis) -> None:
        self._kinds = {name: resource["Type"] for name, resource in stacks.resources()}
        self._exports = {
            output["Export"]["Name"]: output["Value"]
            for output in stacks.storage["Outputs"].values()
            if "Export" in output
        }

    def value(self, node: Any) -> Any:
        """A value of a template, resolved throughout.

        Raises:
            ValueError: it has a function that is not known here.
        """
        match node:
            case {"Ref": name}:
                return _PSEUDO.get(name) or self._reference(name)
            case {"Fn::GetAtt": [name, "Arn"]}:
                return _ARNS[self._kinds[name]].format(_physical(name))
            case {"Fn::ImportValue": name}:
                return self.value(self._exports[name])
            case {"Fn::Join": [on, parts]}:
                return on.join(map(self.value, parts))
            case dict():
                if unknown := [key for key in node if key.startswith("Fn::")]:
                    raise ValueError(f"cannot be resolved: {unknown}")
                return {key: self.value(each) for key, each in node.items()}
            case list():
                return [self.value(each) for each in node]
        return node

    def _reference(self, name: str) -> str:
        kind = self._kinds[name]
        physical = _physical(name)
        return _ARNS[kind].format(physical) if kind in _REF_IS_ARN else physical


def of_roles(stacks: Synthesis) -> Iterator[tuple[str, Document]]:
    """The policy of each role, by the role's logical id."""
    resolved = Resolved(stacks)
    for name, role in stacks.of_type("AWS::IAM::Role").items():
        for policy in role["Properties"]["Policies"]:
            yield name, resolved.value(policy["PolicyDocument"])


def of_resources(stacks: Synthesis) -> Iterator[tuple[str, Document]]:
    """The policy of each key, bucket, topic and queue, by its logical id."""
    resolved = Resolved(stacks)
    for name, resource in stacks.resources():
        if key := POLICY_OF.get(resource["Type"]):
            yield name, resolved.value(resource["Properties"][key])


def trust(stacks: Synthesis) -> Mapping[str, Document]:
    """The trust policy of each role."""
    resolved = Resolved(stacks)
    roles = stacks.of_type("AWS::IAM::Role").items()
    return {name: resolved.value(role["Properties"]["AssumeRolePolicyDocument"]) for name, role in roles}


def _physical(logical_id: str) -> str:
    return logical_id.lower()
