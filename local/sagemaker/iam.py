"""IAM for SageMaker's operations: teaches ministack's evaluator their actions and resources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import unquote

from ministack.core import iam_actions, iam_evaluator

from local.cloud.patching import replace
from local.cloud.seam import Cloud
from local.sagemaker.errors import access_denied
from local.sagemaker.resources import arn, resource_arn


def register() -> None:
    """Make the gateway authorise `sagemaker:<operation>` on the ARN that the request is about."""
    iam_actions.SERVICE_TO_IAM_NAMESPACE["sagemaker"] = "sagemaker"
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker", "sagemaker-runtime"]
    replace(
        iam_actions,
        "extract_resource_arn",
        "service method path headers body query_params region account_id",
        _with_sagemaker,
    )


def _with_sagemaker(extract: Callable[..., str]) -> Callable[..., str]:
    @wraps(extract)
    def extract_resource_arn(
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        if service != "sagemaker":
            return extract(service, method, path, headers, body, query_params, region, account_id)
        return request_arn(path, headers, body, region, account_id)

    return extract_resource_arn


def request_arn(path: str, headers: Mapping[str, str], body: bytes, region: str, account: str) -> str:
    """ARN of the resource that a request to either SageMaker service names."""
    if path.startswith("/endpoints/"):
        return arn(region, account, "endpoint", unquote(path.split("/")[2]))
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    try:
        arguments = json.loads(body or b"{}")
    except ValueError:
        return "*"  # the service itself refuses it
    return resource_arn(operation, arguments if isinstance(arguments, dict) else {}, region, account)


def require(
    access_key: str | None,
    action: str,
    resource: str,
    region: str,
    context: Mapping[str, Any] | None = None,
) -> None:
    """Refuse a caller who may not perform a further action that their request implies.

    No access key means that CloudFormation acts, whose caller ministack has authorised already.

    Raises:
        ServiceError: AccessDeniedException in AWS's words.
    """
    if access_key is None:
        return
    service = action.partition(":")[0]
    denied = iam_evaluator.enforce(access_key, action, service, region, resource, dict(context or {}))
    if denied is None:
        return
    if isinstance(denied, iam_evaluator.AuthError):
        raise access_denied(str(denied.message))
    raise access_denied(
        iam_actions.identity_denial_message(
            action, denied.principal_arn, resource, explicit_deny=denied.decision == "Deny"
        )
    )


def require_grant(access_key: str | None, cloud: Cloud, key: str | None, role_arn: str | None) -> None:
    """Refuse a request that encrypts instances' volumes with a key, where nobody may lend SageMaker the key.

    SageMaker asks it of the role, where there is one, or else of the caller. That it looks at the key first
    is written down for notebooks only; here it does.

    Raises:
        ServiceError: AccessDeniedException for `kms:CreateGrant` or `kms:DescribeKey` on the key.
    """
    if key is None:
        return
    arn = key if key.startswith("arn:") else f"arn:aws:kms:{cloud.region}:{cloud.account}:key/{key}"
    context = {
        "kms:grantisforawsresource": "true",
        "kms:viaservice": f"sagemaker.{cloud.region}.amazonaws.com",
    }
    service = "sagemaker.amazonaws.com"
    for action, more in (("kms:CreateGrant", context), ("kms:DescribeKey", {})):
        if role_arn is None or not cloud.permits(role_arn, service, action, arn, more):
            require(access_key, action, arn, cloud.region, more)


def require_pass_role(access_key: str | None, role_arn: str, region: str) -> None:
    """Refuse a caller who may not hand a role to SageMaker.

    Raises:
        ServiceError: AccessDeniedException for `iam:PassRole` on the role.
    """
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    require(access_key, "iam:PassRole", role_arn, region, context)
