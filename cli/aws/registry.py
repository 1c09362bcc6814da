"""The versions of a model as the registry has them: what each was, what it came from, who decided on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.aws.releases import APPROVED, REJECTED
from cli.aws.session import Deployment
from cli.kit.errors import CliError, error_code
from contract.names.outputs import Output
from contract.names.runs import Origin

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

DESCRIPTION_LIMIT = 1024
"""The longest ApprovalDescription that SageMaker takes, in characters; it takes no line break."""

CARD_APPROVED = "Approved"
STYLES = {APPROVED: "green", REJECTED: "red"}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One model package. `number` is its version in the group; `origin` says what it was made from."""

    group: str
    number: int
    arn: str
    status: str
    created: str
    description: str = ""
    """The person who approved or rejected it, and the note; empty where nobody did by hand."""
    evaluation_uri: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in a scored row's `model_version`."""
        return f"{self.group}/{self.number}"

    @property
    def dataset_version(self) -> str:
        return self.origin.get(Origin.DATASET_VERSION, "")

    @property
    def card_uri(self) -> str:
        """The URI of its model card, as evaluate wrote it."""
        return self.origin.get(Origin.CARD, "")


def styled_status(package: Version) -> str:
    """A version's status in its colour."""
    style = STYLES.get(package.status, "yellow")
    return f"[{style}]{package.status}[/{style}]"


def versions(deployed: Deployment, *, limit: int | None = None) -> tuple[list[Version], int]:
    """The versions of a model, newest first, all or so many, and how many older ones there are."""
    arns = _arns(deployed)
    newest = sorted(arns, reverse=True)[:limit]
    return [_described(deployed.aws, arns[number]) for number in newest], len(arns) - len(newest)


def version(deployed: Deployment, named: str) -> Version:
    """The version of this name: `3`, or `<group>/3`.

    Raises:
        CliError: there is none, or it is another model's.
    """
    group, _, number = named.rpartition("/")
    own = deployed[Output.PACKAGE_GROUP]
    if not (number.isascii() and number.isdigit()):
        raise CliError(f"{named!r} is no version: name one such as 3 or {own}/3.")
    if group and group != own:
        raise CliError(f"{named} is not a version of {deployed.model}, whose versions are {own}/<number>.")
    arn = _arns(deployed).get(int(number))
    if arn is None:
        raise CliError(f"there is no version {own}/{number}: see ./millrace models.")
    return _described(deployed.aws, arn)


def _arns(deployed: Deployment) -> dict[int, str]:
    """The ARN of each version, by its number. ARNs are listed, not built: theirs is in lower case."""
    pages = deployed.aws.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=deployed[Output.PACKAGE_GROUP]
    )
    packages = (package for page in pages for package in page["ModelPackageSummaryList"])
    return {package["ModelPackageVersion"]: package["ModelPackageArn"] for package in packages}


def _described(aws: Aws, arn: str) -> Version:
    package: Mapping[str, Any] = aws.sagemaker.describe_model_package(ModelPackageName=arn)
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {})
    return Version(
        group=package["ModelPackageGroupName"],
        number=package["ModelPackageVersion"],
        arn=arn,
        status=package["ModelApprovalStatus"],
        created=f"{package['CreationTime']:%Y-%m-%d %H:%M}",
        description=package.get("ApprovalDescription") or "",
        evaluation_uri=quality.get("Statistics", {}).get("S3Uri", ""),
        origin=package.get("CustomerMetadataProperties") or {},
    )


def read_package_evaluation(aws: Aws, package: Version) -> dict[str, Any] | None:
    """A version's evaluation.json, or None where it names none or that is no longer there."""
    return _read_json(aws, package.evaluation_uri)


def _read_json(aws: Aws, uri: str) -> dict[str, Any] | None:
    if not uri:
        return None
    place = urlsplit(uri)
    try:
        body = aws.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
    document: dict[str, Any] = json.loads(body)
    return document


def decide(aws: Aws, package: Version, status: ModelApprovalStatusType, note: str) -> str:
    """Approve or reject a version, and keep who did and why with it. Returns what was kept.

    An approved version gets its model card, which says so too; where that is not there, it goes without.

    Raises:
        CliError: it is so already, the note says nothing or is too long.
    """
    if package.status == status:
        note_before = f": {package.description}" if package.description else ""
        again = " To release it again, reject it first, then approve it." if status == APPROVED else ""
        raise CliError(f"{package.name} is {status} already{note_before}.{again}")
    text = " ".join(note.split())
    if not text:
        raise CliError("the note is empty: say why, with --note.")
    caller = aws.session.client("sts", **aws.options).get_caller_identity()["Arn"]
    description = f"{text} ({status} by {caller})"
    if excess := max(0, len(description) - DESCRIPTION_LIMIT):
        raise CliError(f"the note is too long by {excess} characters: SageMaker keeps {DESCRIPTION_LIMIT}.")
    content = _read_json(aws, package.card_uri) if status == APPROVED else None
    aws.sagemaker.update_model_package(
        ModelPackageArn=package.arn,
        ModelApprovalStatus=status,
        ApprovalDescription=description,
        **_card(content, description),
    )
    return description


def _card(content: dict[str, Any] | None, approval: str) -> dict[str, Any]:
    """The member that attaches a card to a package, with the approval in it; none without a card."""
    if content is None:
        return {}
    information = content.setdefault("additional_information", {})
    information.setdefault("custom_details", {})["approval"] = approval
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return {"ModelCard": {"ModelCardContent": text, "ModelCardStatus": CARD_APPROVED}}
