"""Properties of a template that mean nothing are refused: those that AWS does not know, and those that the
emulator would drop. Deployed without a word, either would be found missing in an account only."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from ministack.services.cloudformation import provisioners, stacks

from local.cloud.cloudformation.reading import Read
from local.cloud.patching import replace

REGION = "us-east-1"
WITHOUT_EFFECT = {
    ("AWS::S3::Bucket", "AccessControl"): "access logs are not delivered, so nobody needs to be let in",
    ("AWS::Lambda::EventSourceMapping", "Tags"): "no bill is split by them",
}
"""What the emulator drops and may: the type and property, and why nothing comes of it here."""


def install() -> None:
    """Look at the properties of each resource that a stack creates or changes."""
    replace(provisioners, "_provision_resource", "resource_type logical_id props stack_name", _creating)
    replace(
        provisioners,
        "_update_resource",
        "resource_type physical_id old_props new_props stack_name logical_id old_attrs",
        _updating,
    )
    stacks._provision_resource = provisioners._provision_resource
    stacks._update_resource = provisioners._update_resource


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def provision(resource_type: str, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        check_known(resource_type, props or {})
        read = Read(props or {})
        created = original(resource_type, logical_id, read, stack_name)
        try:
            _check_read(resource_type, read.unread())
        except ValueError:
            provisioners._delete_resource(resource_type, created[0], props or {}, stack_name, logical_id)
            raise
        return created

    return provision


def _updating(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(
        resource_type: str,
        physical_id: str,
        old_props: dict[str, Any],
        new_props: dict[str, Any],
        *more: Any,
        **options: Any,
    ) -> Any:
        check_known(resource_type, new_props)
        if old_props == new_props:
            return original(resource_type, physical_id, old_props, new_props, *more, **options)
        read = Read(new_props)
        updated = original(resource_type, physical_id, old_props, read, *more, **options)
        changed = {name for name in new_props if old_props.get(name) != new_props[name]}
        _check_read(resource_type, (path for path in read.unread() if path.partition(".")[0] in changed))
        return updated

    return update


def _check_read(resource_type: str, unread: Iterator[str]) -> None:
    dropped = sorted({path for path in unread if (resource_type, path) not in WITHOUT_EFFECT})
    if dropped:
        raise ValueError(
            f"The local cloud does not implement {', '.join(dropped)} of {resource_type}, and drops nothing."
        )


def check_known(resource_type: str, properties: dict[str, Any]) -> None:
    """Raise ValueError, in AWS's words, for a property that the resource type does not have."""
    schema = _schema(resource_type)
    if schema is None:
        return
    for path in _unknown(properties, schema, schema, "#"):
        place, _, name = path.rpartition("/")
        raise ValueError(
            f"Properties validation failed for resource of type {resource_type} with message: "
            f"{place}: extraneous key [{name}] is not permitted"
        )


@cache
def _schema(resource_type: str) -> dict[str, Any] | None:
    """The type's schema as CloudFormation publishes it; None for a type that it does not publish."""
    digest = _read("providers", REGION).get(resource_type)
    return _read("resources", digest) if digest else None


@cache
def _read(kind: str, name: str) -> dict[str, Any]:
    """A document among cfn-lint's copies of CloudFormation's schemas, without the second its import takes."""
    package = importlib.util.find_spec("cfnlint")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "data" / "schemas" / kind / f"{name}.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def _unknown(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of members that a schema does not have, where it says which it has."""
    schema = _resolved(schema, root)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown(item, schema.get("items", {}), root, f"{path}/{index}")
    known = schema.get("properties", {})
    if not isinstance(value, dict) or not known:
        return
    closed = schema.get("additionalProperties") is False and "patternProperties" not in schema
    for name, member in value.items():
        if name in known:
            yield from _unknown(member, known[name], root, f"{path}/{name}")
        elif closed:
            yield f"{path}/{name}"


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    while reference := schema.get("$ref"):
        schema = root
        for part in reference.removeprefix("#/").split("/"):
            schema = schema[part]
    return schema
