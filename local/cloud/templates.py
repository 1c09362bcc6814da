"""CloudFormation resources that ministack would make although AWS refuses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc
from ministack.services.cloudformation import provisioners

from local.cloud.authorization import ServiceCalls
from local.cloud.functions import check_mapping
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError


def install(calls: ServiceCalls) -> None:
    """Add AWS's checks to the resource types that skip them."""
    replace(
        provisioners,
        "_lambda_esm_create",
        "logical_id props stack_name",
        lambda original: _readable_mapping(original, calls),
    )
    replace(
        provisioners,
        "_cwlogs_create",
        "logical_id props stack_name",
        lambda original: _encryptable_log_group(original, calls),
    )
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::Lambda::EventSourceMapping"]["create"] = provisioners._lambda_esm_create
    handlers["AWS::Logs::LogGroup"]["create"] = provisioners._cwlogs_create


def _readable_mapping(original: Callable[..., Any], calls: ServiceCalls) -> Callable[..., Any]:
    """Lambda refuses a mapping whose function may not read the queue."""

    def create(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _, config, _ = lambda_svc._get_func_record_for_ref(props.get("FunctionName", ""))
        if config:
            check_mapping(calls, config, props.get("EventSourceArn", ""))
        return original(logical_id, props, stack_name)

    return create


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
