"""Which statements of the roles of a cloud's stacks allowed something so far, and which never did.

The cloud records in `allowed.jsonl` what allowed each call (`local.cloud.iam.decisions`). A statement is
*needed* where some call was allowed by no other: without it, that call would have been refused.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.iam.statements import as_list, digest_of, statements_of

FILE_NAME = "allowed.jsonl"


class Use(enum.IntEnum):
    """How far something was needed."""

    NEVER = 0
    REDUNDANT = 1
    """It allowed calls, each of which another statement or pattern allows too."""
    NEEDED = 2


@dataclass(frozen=True, kw_only=True)
class StatementUse:
    """One statement of a role's policy. `role` is `<stack>/<logical id>`."""

    role: str
    policy: str
    statement: Mapping[str, Any]
    use: Use
    actions: Mapping[str, Use]
    resources: Mapping[str, Use]

    @property
    def unused_actions(self) -> list[str]:
        """The actions that allowed nothing that another statement does not allow."""
        return [action for action, use in self.actions.items() if use is not Use.NEEDED]

    @property
    def unused_resources(self) -> list[str]:
        """The resource patterns that allowed nothing that another does not allow."""
        return [pattern for pattern, use in self.resources.items() if use is not Use.NEEDED]


@dataclass(frozen=True)
class _Line:
    owner: str
    policy: str
    statement: str
    action: str
    patterns: tuple[str, ...]
    sole: bool


def statement_uses(folder: Path, cloudformation: Any, iam: Any) -> list[StatementUse]:
    """Each statement of each role that a stack of the cloud in this folder made, and how far it was needed.

    The clients are boto3's, of the cloud's root.
    """
    lines = _read(folder / FILE_NAME)
    return [
        _use(name, policy, statement, [line for line in lines if line.owner == arn])
        for name, physical in _roles(cloudformation)
        for arn, policy, statement in _statements(iam, physical)
    ]


def _read(path: Path) -> list[_Line]:
    members = _Line.__dataclass_fields__
    found = []
    for text in path.read_text().splitlines() if path.exists() else []:
        document = json.loads(text)
        found.append(_Line(**{**{m: document[m] for m in members}, "patterns": tuple(document["patterns"])}))
    return found


def _roles(cloudformation: Any) -> Iterator[tuple[str, str]]:
    """`<stack>/<logical id>` and the name of each role."""
    for page in cloudformation.get_paginator("list_stacks").paginate():
        for stack in page["StackSummaries"]:
            if stack["StackStatus"] == "DELETE_COMPLETE":
                continue
            resources = cloudformation.get_paginator("list_stack_resources")
            for part in resources.paginate(StackName=stack["StackName"]):
                for resource in part["StackResourceSummaries"]:
                    if resource["ResourceType"] == "AWS::IAM::Role":
                        logical = f"{stack['StackName']}/{resource['LogicalResourceId']}"
                        yield logical, resource["PhysicalResourceId"]


def _statements(iam: Any, role: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """ARN of the role, name of a policy and a statement of it."""
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        for statement in statements_of(document):
            yield arn, policy, statement


def _use(role: str, policy: str, statement: dict[str, Any], lines: Sequence[_Line]) -> StatementUse:
    digest = digest_of(statement)
    own = [line for line in lines if (line.policy, line.statement) == (policy, digest)]
    return StatementUse(
        role=role,
        policy=policy,
        statement=statement,
        use=_most(Use.NEEDED if line.sole else Use.REDUNDANT for line in own),
        actions={
            action: _most(
                Use.NEEDED if line.sole else Use.REDUNDANT
                for line in own
                if line.action.lower() == action.lower()
            )
            for action in as_list(statement["Action"])
        },
        resources={
            pattern: _most(
                Use.NEEDED if line.sole and line.patterns == (pattern,) else Use.REDUNDANT
                for line in own
                if pattern in line.patterns
            )
            for pattern in as_list(statement["Resource"])
        },
    )


def _most(uses: Iterable[Use]) -> Use:
    return max(uses, default=Use.NEVER)
