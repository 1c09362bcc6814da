"""The live model version, and the releases that lead to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Final

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.aws.waiting import wait_until
from cli.kit.errors import CliError, error_code, error_message
from contract.layout import live_parameter
from contract.names.outputs import RELEASE_MACHINE

RELEASE_TIMEOUT_SECONDS = 3600.0
APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
KNOWN_SECONDS = 30.0
"""How long after its registration a package may be unknown to DescribeModelPackage."""
FAILED = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
RECENT_EXECUTIONS = 20


@dataclass(frozen=True, kw_only=True)
class LiveVersion:
    """The version that the last successful release recorded."""

    model_version: str
    model_package_arn: str
    released_at: str
    endpoint: str | None = None
    """None where only the batch path scores with the model."""


def live_version(deployed: Deployment) -> LiveVersion | None:
    """The version that is live, or None before the first release."""
    name = live_parameter(deployed.aws.environment, deployed.model)
    try:
        value = json.loads(deployed.aws.ssm.get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error_code(error) == "ParameterNotFound":
            return None
        raise
    known = LiveVersion.__dataclass_fields__.keys() & value.keys()
    return LiveVersion(**{field: value[field] for field in known})


def approval(deployed: Deployment, package_arn: str) -> str:
    """Approved, Rejected or PendingManualApproval; of a package that may have been registered just now."""

    def look() -> str | None:
        try:
            described = deployed.aws.sagemaker.describe_model_package(ModelPackageName=package_arn)
        except ClientError as error:
            if "does not exist" not in error_message(error):
                raise
            return None
        return described["ModelApprovalStatus"]

    return wait_until(look, timeout=KNOWN_SECONDS, what=f"{package_arn.rpartition(':')[2]} to be known")


def wait_until_live(deployed: Deployment, package_arn: str) -> LiveVersion:
    """Wait until the release of an approved package went through, and say what is live then.

    That is this package, or a later one that overtook it.

    Raises:
        CliError: the release failed, or did not end in time.
    """
    return wait_until(
        partial(_released, deployed, package_arn),
        timeout=RELEASE_TIMEOUT_SECONDS,
        what=f"the release of {package_arn.rpartition(':')[2]}",
        seen=lambda: (
            f"live is {live.model_version}" if (live := live_version(deployed)) else "nothing is live"
        ),
    )


def _released(deployed: Deployment, package_arn: str) -> LiveVersion | None:
    live = live_version(deployed)
    if live is not None and live.model_package_arn == package_arn:
        return live
    status, cause = _release(deployed, package_arn)
    if status in FAILED:
        raise CliError(
            f"the release failed ({status}): {cause or 'no cause given'}. What was live is still live. "
            "See ./millrace logs release."
        )
    # What was live before this may have been read before the release went through.
    return live_version(deployed) if status == "SUCCEEDED" else None


def _release(deployed: Deployment, package_arn: str) -> tuple[str, str]:
    """Status and cause of the last release of a package; empty where there is none."""
    functions = deployed.aws.stepfunctions
    executions = functions.list_executions(
        stateMachineArn=deployed[RELEASE_MACHINE], maxResults=RECENT_EXECUTIONS
    )["executions"]
    for execution in executions:
        described = functions.describe_execution(executionArn=execution["executionArn"])
        if f'"{package_arn}"' in described.get("input", ""):
            return described["status"], described.get("cause", "")
    return "", ""
