"""A new role takes a while until services can assume it, on a strict cloud."""

from __future__ import annotations

import datetime as dt

from ministack.services import iam

from local.cloud.seam import AccessDeniedError
from local.cloud.strictness import Strictness


def check_propagated(strictness: Strictness | None, role_arn: str) -> None:
    """Raise AccessDeniedError, which is nobody's refusal, for a role that is too new."""
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get_scoped(role_arn.split(":")[4], None, name)
    if strictness is None or role is None or ":role/aws-service-role/" in role_arn:
        return
    wait = strictness.between(strictness.role_seconds, "role", name.rpartition("-")[0])
    if _age(role["CreateDate"]) < wait:
        raise AccessDeniedError(f"{role_arn} is not there yet: IAM is eventually consistent.")


def _age(created: str | dt.datetime) -> float:
    moment = (
        dt.datetime.fromisoformat(created.replace("Z", "+00:00")) if isinstance(created, str) else created
    )
    return (dt.datetime.now(dt.UTC) - moment).total_seconds()
