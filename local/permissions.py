"""The statements of the roles of a cloud's stacks: those that some call needed, and those that none did yet.

The cloud records in `allowed.jsonl` what allowed each call (`local.cloud.iam.decisions`). A statement is
*needed* where some call was allowed by no other: without it, that call would have been refused.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """One statement of a role's policy, in every stack that has it: what each part of it allowed.

    `role` is the role's logical id. Resources are spelled alike for all models: physical names that
    CloudFormation made are cut to what the template says.
    """

    role: str
    policy: str
    use: Use
    actions: Mapping[str, Use]
    resources: Mapping[str, Use]
    conditions: str
    """The statement's condition, as JSON."""

    @property
    def unneeded(self) -> list[str]:
        """The actions and resource patterns that allowed no call that would be refused without them."""
        parts = {**self.actions, **self.resources}
        return [part for part, use in parts.items() if use is not Use.NEEDED]


@dataclass(frozen=True)
class _Line:
    owner: str
    policy: str
    statement: str
    action: str
    patterns: tuple[str, ...]
    sole: bool


def statement_uses(folder: Path, cloudformation: Any, iam: Any, prefix: str = "") -> list[StatementUse]:
    """Each statement of each role of the stacks whose names begin with `prefix`, and how far it was needed.

    `folder` is the cloud's; the clients are boto3's, of its root.
    """
    lines = _read(folder / FILE_NAME)
    found: dict[tuple[str, str, str], StatementUse] = {}
    for role in _roles(cloudformation, iam, prefix):
        for policy, statement in role.statements:
            use = _use(role, policy, statement, lines)
            key = (use.role, ",".join([*use.actions, *use.resources]), use.conditions)
            found[key] = _merged(found[key], use) if key in found else use
    return sorted(found.values(), key=lambda use: use.role)


def _read(path: Path) -> list[_Line]:
    members = _Line.__dataclass_fields__
    found = []
    for text in path.read_text().splitlines() if path.exists() else []:
        document = json.loads(text)
        found.append(_Line(**{**{m: document[m] for m in members}, "patterns": tuple(document["patterns"])}))
    return found


@dataclass(frozen=True)
class _Role:
    logical_id: str
    arn: str
    names: Mapping[str, str]
    """What the template calls things, by their physical names."""
    statements: Sequence[tuple[str, dict[str, Any]]]
    """Each with its policy's name."""


def _roles(cloudformation: Any, iam: Any, prefix: str) -> Iterator[_Role]:
    stacks = _pages(cloudformation, "list_stacks", "StackSummaries")
    live = [s["StackName"] for s in stacks if s["StackStatus"] != "DELETE_COMPLETE"]
    for model, names in _by_model(live, prefix).items():
        resources = [
            resource
            for name in names
            for resource in _pages(
                cloudformation, "list_stack_resources", "StackResourceSummaries", StackName=name
            )
        ]
        called = {_name(r["PhysicalResourceId"]): f"<{r['LogicalResourceId']}>" for r in resources}
        for resource in resources:
            if resource["ResourceType"] == "AWS::IAM::Role":
                yield _role(iam, resource, {**called, model: "<deployment>"})


def _name(physical_id: str) -> str:
    """The name in a URL or an ARN, as policies have it in ARNs of their own."""
    return re.split("[/:]", physical_id)[-1]


def _by_model(stacks: Iterable[str], prefix: str) -> dict[str, list[str]]:
    """A model's two stacks, by what their names have in common: its deployment's name."""
    found: dict[str, list[str]] = {}
    for name in stacks:
        if name.startswith(prefix):
            found.setdefault(name.rpartition("-")[0], []).append(name)
    return found


def _role(iam: Any, resource: Mapping[str, Any], names: Mapping[str, str]) -> _Role:
    name = resource["PhysicalResourceId"]
    policies = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return _Role(
        resource["LogicalResourceId"],
        iam.get_role(RoleName=name)["Role"]["Arn"],
        names,
        [
            (policy, statement)
            for policy in policies
            for statement in statements_of(
                iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            )
        ],
    )


def _use(role: _Role, policy: str, statement: dict[str, Any], lines: Iterable[_Line]) -> StatementUse:
    place = (role.arn, policy, digest_of(statement))
    own = [line for line in lines if (line.owner, line.policy, line.statement) == place]
    return StatementUse(
        role=role.logical_id,
        policy=policy,
        use=_most(own),
        actions={
            action: _most(line for line in own if line.action.lower() == action.lower())
            for action in as_list(statement["Action"])
        },
        resources={
            _spelled(pattern, role.names): _most(
                replace(line, sole=line.sole and line.patterns == (pattern,))
                for line in own
                if pattern in line.patterns
            )
            for pattern in as_list(statement["Resource"])
        },
        conditions=_spelled(json.dumps(statement.get("Condition", {}), sort_keys=True), role.names),
    )


def _spelled(text: str, names: Mapping[str, str]) -> str:
    for physical in sorted(names, key=len, reverse=True):
        text = text.replace(physical, names[physical])
    return text


def _most(lines: Iterable[_Line]) -> Use:
    return max((Use.NEEDED if line.sole else Use.REDUNDANT for line in lines), default=Use.NEVER)


def _merged(one: StatementUse, other: StatementUse) -> StatementUse:
    return replace(
        one,
        use=max(one.use, other.use),
        actions={action: max(use, other.actions[action]) for action, use in one.actions.items()},
        resources={pattern: max(use, other.resources[pattern]) for pattern, use in one.resources.items()},
    )


def _pages(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[member]
