"""Find pipeline definitions in a CloudFormation template, with plausible values for its functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ACCOUNT, REGION = "111122223333", "eu-west-1"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}


def definitions(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The definition of each `AWS::SageMaker::Pipeline`, by logical id."""
    return {
        name: json.loads(render(resource["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"]))
        for name, resource in template.get("Resources", {}).items()
        if resource["Type"] == "AWS::SageMaker::Pipeline"
    }


def render(value: Any) -> str:
    """A string as it could be after deployment."""
    match value:
        case str():
            return value
        case {"Fn::Join": [on, parts]}:
            return str(on).join(map(render, parts))
        case {"Ref": str() as name}:
            return _PSEUDO.get(name, name)
        case {"Fn::GetAtt": [name, "Arn"]}:
            return f"arn:aws:iam::{ACCOUNT}:role/{name}"
        case {"Fn::ImportValue": str() as name} if name.endswith("RoleArn"):
            return f"arn:aws:iam::{ACCOUNT}:role/{name.rpartition(':')[2]}"
        case {"Fn::ImportValue": name}:
            return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}"
        case {"Fn::Sub": str() as text}:
            for name, actual in _PSEUDO.items():
                text = text.replace(f"${{{name}}}", actual)
            return text
    raise ValueError(f"cannot be rendered: {value!r}")
