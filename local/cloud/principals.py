"""Who calls: temporary credentials of roles, and boto3 clients that call the gateway with them."""

from __future__ import annotations

import secrets
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy
from ministack.services import iam, sts

from local.cloud.background import ROOT_ACCESS_KEY, ROOT_SECRET_KEY
from local.cloud.seam import AccessDeniedError, Credentials

LIFETIME_SECONDS = 12 * 3600
_sessions_lock = threading.Lock()


def credentials_for(role_arn: str, service: str) -> dict[str, str]:
    """Credentials of the role as the service principal assumes it; see `seam.Cloud.credentials_for`."""
    check_trust(role_arn, service)
    account, role_name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    session_name = service.removesuffix(".amazonaws.com")
    role_id = (iam._roles.get_scoped(account, None, role_name) or {})["RoleId"]
    access_key = "ASIA" + secrets.token_hex(8).upper()
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
        "UserId": f"{role_id}:{session_name}",
        "SecretAccessKey": secrets.token_hex(20),
        "SessionToken": secrets.token_hex(64),
        "Expiration": time.time() + LIFETIME_SECONDS,
        "AccountId": account,
        "PrincipalType": "AssumedRole",
    }
    with _sessions_lock:
        sts.register_session(access_key, session)
    return {
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": str(session["SecretAccessKey"]),
        "AWS_SESSION_TOKEN": str(session["SessionToken"]),
    }


def check_trust(role_arn: str, service: str) -> None:
    """Raise AccessDeniedError unless the role exists and its trust policy lets the service assume it."""
    parts = role_arn.split(":")
    account = parts[4] if len(parts) == 6 else ""
    role = iam._roles.get_scoped(account, None, role_arn.rsplit("/", 1)[-1]) if account else None
    context = EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region="",
        service_context={"aws:sourceaccount": account},
    )
    document = _service_trust((role or {}).get("AssumeRolePolicyDocument") or "{}", service)
    if role is None or not evaluate_trust_policy(document, service, context):
        raise AccessDeniedError(
            f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        )


def _service_trust(document: str | dict[str, Any], service: str) -> dict[str, Any]:
    """The statements that name the service, spelled so that the emulator's matcher sees it as the caller."""
    parsed = iam_document(document)
    statements = []
    for statement in parsed.get("Statement", []):
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        if principal == "*" or service in ([named] if isinstance(named, str) else named):
            statements.append({**statement, "Principal": {"AWS": service}})
    return {"Statement": statements}


def iam_document(document: str | dict[str, Any]) -> dict[str, Any]:
    """A policy as a dict whose Statement is a list."""
    import json

    parsed: dict[str, Any] = json.loads(document) if isinstance(document, str) else dict(document)
    if isinstance(parsed.get("Statement"), dict):
        parsed["Statement"] = [parsed["Statement"]]
    return parsed


class Clients:
    """boto3 clients of one gateway, one for each service and principal."""

    def __init__(self, endpoint_url: str, region: str, ca_bundle: Path) -> None:
        self._endpoint_url = endpoint_url
        self._region = region
        self._ca_bundle = ca_bundle
        self._lock = threading.Lock()
        self._cached = lru_cache(maxsize=256)(self._make)

    def client(self, service: str, credentials: Credentials | None) -> Any:
        """See `seam.Cloud.client`."""
        credentials = credentials or {
            "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_KEY,
        }
        with self._lock:  # boto3's default session and its loaders are not safe for threads
            return self._cached(service, tuple(sorted(credentials.items())))

    def _make(self, service: str, credentials: tuple[tuple[str, str], ...]) -> Any:
        keys = dict(credentials)
        return self._session().client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._endpoint_url,
            region_name=self._region,
            verify=str(self._ca_bundle),
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN") or None,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=130, max_pool_connections=50),
        )

    @lru_cache(maxsize=1)  # noqa: B019 - lives as long as the cloud
    def _session(self) -> boto3.Session:
        return boto3.Session()
