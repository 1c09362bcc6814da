"""The thread that scales goes on, whatever becomes of what it is to scale."""

from __future__ import annotations

from typing import cast

import pytest

from local.autoscaling.scaler import Scaler
from local.autoscaling.targets import NAMESPACE, Targets
from local.cloud.seam import AccessDeniedError, Cloud


class WithoutRole:
    """A cloud in which somebody has deleted the role that scales."""

    account = "000000000000"

    def credentials_for(self, role_arn: str, service: str) -> dict[str, str]:
        raise AccessDeniedError(f"{service} is not authorized to perform: sts:AssumeRole on {role_arn}")

    def client(self, service: str, credentials: dict[str, str]) -> object:
        raise AssertionError(f"nobody may call {service}")


def test_a_role_that_is_gone_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    targets = Targets()
    for name in ("one", "other"):
        resource = f"endpoint/{name}/variant/live"
        targets.put(resource, {"ResourceId": resource, "ServiceNamespace": NAMESPACE})
    Scaler(cast("Cloud", WithoutRole()), targets).look()
    assert [message.split(":")[0] for message in caplog.messages] == [
        "autoscaling of endpoint/one/variant/live",
        "autoscaling of endpoint/other/variant/live",
    ]
