"""Log groups that ministack would make from a template although AWS refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs
from ministack.services.cloudformation import provisioners

from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError


def install(calls: ServiceCalls) -> None:
    """Add AWS's check."""
    replace(
        provisioners,
        "_cwlogs_create",
        "logical_id props stack_name",
        lambda original: _encryptable_log_group(original, calls),
    )
    provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]["create"] = provisioners._cwlogs_create


def _encryptable_log_group(original: Callable[..., Any], calls: ServiceCalls) -> Callable[..., Any]:
    """CloudWatch Logs refuses a key whose policy does not let it encrypt for the log group."""

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        name, attributes = original(logical_id, props, stack_name)
        if props.get("KmsKeyId"):
            arn = cloudwatch_logs._make_group_arn_no_star(name)
            try:
                calls.key(
                    props["KmsKeyId"],
                    "logs.amazonaws.com",
                    arn,
                    {"kms:encryptioncontext:aws:logs:arn": arn},
                )
            except AccessDeniedError:
                provisioners._cwlogs_delete(name, props)
                raise
        return name, attributes

    return create
