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
from ministack.services import sts

from local.cloud.iam.propagation import check_propagated
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.process.root_key import RootKey
from local.cloud.seam import Credentials
from local.cloud.strictness import Strictness

LIFETIME_SECONDS = 12 * 3600


class Principals:
    """Vends credentials and clients of one gateway."""

    def __init__(
        self,
        endpoint_url: str,
        region: str,
        ca_bundle: Path,
        calls: ServiceCalls,
        root: RootKey,
        strictness: Strictness | None = None,
    ) -> None:
        self._strictness = strictness
        self._endpoint_url = endpoint_url
        self._region = region
        self._ca_bundle = ca_bundle
        self._calls = calls
        self._root: Credentials = {
            "AWS_ACCESS_KEY_ID": root.access_key,
            "AWS_SECRET_ACCESS_KEY": root.secret_key,
        }
        self._lock = threading.Lock()
        self._session: boto3.Session | None = None
        self._cached = lru_cache(maxsize=256)(self._make)

    def credentials_for(
        self, role_arn: str, service: str, session_name: str = "", source_arn: str = ""
    ) -> dict[str, str]:
        """Credentials of the role as the service assumes it; see `seam.Cloud.credentials_for`."""
        self._calls.trust(role_arn, service, source_arn)
        check_propagated(self._strictness, role_arn)
        account, role_name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        session_name = session_name or service.removesuffix(".amazonaws.com")
        access_key = "ASIA" + secrets.token_hex(8).upper()
        secret_key, token = secrets.token_hex(20), secrets.token_hex(64)
        session = {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
            "UserId": f"{sts._role_id(role_arn)}:{session_name}",
            "SecretAccessKey": secret_key,
            "SessionToken": token,
            "Expiration": time.time() + LIFETIME_SECONDS,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        }
        with self._lock:
            sts.register_session(access_key, session)
        return {
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_SESSION_TOKEN": token,
        }

    def client(self, service: str, credentials: Credentials | None) -> Any:
        """See `seam.Cloud.client`."""
        key = tuple(sorted((credentials or self._root).items()))
        with self._lock:  # boto3's session and its loaders are not safe for threads
            return self._cached(service, key)

    def _make(self, service: str, credentials: tuple[tuple[str, str], ...]) -> Any:
        self._session = self._session or boto3.Session()
        keys = dict(credentials)
        return self._session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._endpoint_url,
            region_name=self._region,
            verify=str(self._ca_bundle),
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=keys.get("AWS_SESSION_TOKEN") or None,
            # A function may run for 15 minutes before it answers.
            config=Config(
                # What SageMaker moves it moves again; what a machine or pipeline asks is theirs to retry.
                retries={"total_max_attempts": 5 if service == "s3" else 1},
                read_timeout=910,
                max_pool_connections=50,
            ),
        )
