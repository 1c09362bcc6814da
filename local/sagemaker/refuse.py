"""Arguments that mean something the local cloud does not do: refused by name, never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker.errors import not_implemented


def unless(value: Any, member: str, *allowed: Any) -> None:
    """Refuse a value that asks for more than the local cloud does. None and missing are fine.

    Raises:
        ServiceError: 501, naming the member and its value.
    """
    if value is not None and value not in allowed:
        raise not_implemented(f"{member}={value!r}")


def beyond(arguments: Mapping[str, Any], *members: str) -> None:
    """Refuse arguments that have any of these members."""
    for member in members:
        if arguments.get(member):
            raise not_implemented(member)


def s3_source(source: Mapping[str, Any]) -> None:
    """Refuse what is not a plain prefix, copied whole to one instance."""
    unless(source.get("S3DataType"), "S3DataType", "S3Prefix")
    unless(source.get("S3DataDistributionType"), "S3DataDistributionType", "FullyReplicated")
    unless(source.get("S3InputMode"), "S3InputMode", "File")
    unless(source.get("S3CompressionType"), "S3CompressionType", "None")
    beyond(source, "AttributeNames", "InstanceGroupNames", "ModelAccessConfig", "HubAccessConfig")
