"""A template's topic keeps its key, which ministack drops: then nobody would be asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import sns
from ministack.services.cloudformation import provisioners

from local.cloud.patching import replace

KEY = "KmsMasterKeyId"


def install() -> None:
    """Store the key as SetTopicAttributes would."""
    replace(provisioners, "_sns_create", "logical_id props stack_name", _created)
    replace(provisioners, "_sns_update", "physical_id old_props new_props stack_name logical_id", _updated)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]
    handlers.update(create=provisioners._sns_create, update=provisioners._sns_update)


def _created(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        arn, attributes = original(logical_id, props, stack_name)
        _keep(arn, props)
        return arn, attributes

    return create


def _updated(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(physical_id: str, old_props: Any, new_props: dict[str, Any], *more: Any) -> Any:
        arn, attributes = original(physical_id, old_props, new_props, *more)
        _keep(arn, new_props)
        return arn, attributes

    return update


def _keep(arn: str, properties: Mapping[str, Any]) -> None:
    attributes = sns._topics[arn]["attributes"]
    if key := properties.get(KEY):
        attributes[KEY] = key
    else:
        attributes.pop(KEY, None)
