"""Values that only a deployment knows, put into a definition that was authored before.

The SDK wants plain strings where a deployment has CloudFormation tokens, so a definition is
authored with placeholders and `render` puts the deployment's values in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Values:
    """Values that only the deployment knows: ARNs, names and the image. May be CDK tokens."""

    image_uri: str
    key_arn: str
    package_group: str
    validate_role_arn: str
    prepare_role_arn: str
    train_role_arn: str
    evaluate_role_arn: str
    checkpoints_uri: str = ""
    """Of training on spot instances only."""
    tune_role_arn: str = ""
    """Of a pipeline with a search only."""


PLACEHOLDERS = Values(**{field.name: f"placeholder:{field.name}" for field in fields(Values)})


def render(definition: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """A definition with the deployment's values in the place of the placeholders."""
    actual = {getattr(PLACEHOLDERS, f.name): getattr(values, f.name) for f in fields(Values)}

    def put(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: put(value) for key, value in node.items()}
        if isinstance(node, list):
            return [put(item) for item in node]
        return actual.get(node, node) if isinstance(node, str) else node

    return {key: put(value) for key, value in definition.items()}
