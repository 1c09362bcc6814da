"""The model registry: groups, and the versions of a model in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker import events, refuse, storage
from local.sagemaker.catalog.listing import listing
from local.sagemaker.errors import ServiceError, access_denied, conflict, invalid, not_implemented
from local.sagemaker.execution_role import repository_arn
from local.sagemaker.resources import name_of
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import MODEL_PACKAGE, MODEL_PACKAGE_GROUP, Record

_DONE: dict[str, list[Any]] = {"ValidationStatuses": [], "ImageScanStatuses": []}


class Registry:
    """The operations on model packages and their groups."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._state = backend.state
        # A version is never given out again, so the last one outlives its package.
        self._last_version: dict[str, int] = {}

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateModelPackageGroup": self._create_group,
            "DeleteModelPackageGroup": self._delete_group,
            "CreateModelPackage": self._create,
            "DescribeModelPackage": self._describe,
            "ListModelPackages": self._list,
            "UpdateModelPackage": self._update,
            "DeleteModelPackage": self._delete,
        }

    def _create_group(self, call: Call) -> dict[str, Any]:
        refuse.beyond(call.arguments, "ManagedConfiguration")
        members = {**call.arguments, "ModelPackageGroupStatus": "Completed", "CreatedBy": {}}
        record = self._state.add(MODEL_PACKAGE_GROUP, call["ModelPackageGroupName"], members)
        arn = record["ModelPackageGroupArn"]
        self._state.tags[arn] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        return {"ModelPackageGroupArn": arn}

    def _delete_group(self, call: Call) -> dict[str, Any]:
        group = self._state.get(MODEL_PACKAGE_GROUP, call["ModelPackageGroupName"])
        if self._versions(group["ModelPackageGroupName"]):
            raise conflict(
                f"Model Package Group {group['ModelPackageGroupArn']} cannot be deleted: it still contains "
                "model packages."
            )
        self._state.remove(MODEL_PACKAGE_GROUP, group["ModelPackageGroupName"])
        return {}

    def _create(self, call: Call) -> dict[str, Any]:
        name = self._check(call)
        with self._state.lock:
            members = dict(call.arguments)
            if "ModelPackageGroupName" in call.arguments:
                group = self._state.get(MODEL_PACKAGE_GROUP, name)["ModelPackageGroupName"]
                version = self._last_version[group] = self._last_version.get(group, 0) + 1
                members |= {"ModelPackageGroupName": group, "ModelPackageVersion": version}
                members.setdefault("ModelApprovalStatus", "PendingManualApproval")
                name = f"{group}/{version}"
            members |= {
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": _DONE,
                "CreatedBy": {},
            }
            record = self._state.add(MODEL_PACKAGE, name, members)
        events.package_changed(self._backend.cloud, record)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _check(self, call: Call) -> str:
        names = [
            call[member]
            for member in ("ModelPackageName", "ModelPackageGroupName")
            if member in call.arguments
        ]
        if len(names) != 1:
            raise invalid("Exactly one of ModelPackageName and ModelPackageGroupName must be provided.")
        if call.get("Tags") and "ModelPackageGroupName" in call.arguments:
            raise invalid("Tags cannot be supplied for a versioned model package: it has those of its group.")
        for member in (
            "SourceAlgorithmSpecification",
            "ValidationSpecification",
            "AdditionalInferenceSpecifications",
        ):
            if call.get(member):
                raise not_implemented(f"CreateModelPackage with {member}")
        for container in call.get("InferenceSpecification", {}).get("Containers", []):
            refuse.beyond(
                container, "ModelDataSource", "AdditionalModelDataSources", "AdditionalS3DataSource"
            )
            if url := container.get("ModelDataUrl"):
                _require_readable(call, url)
            if repository := repository_arn(container["Image"]):
                # Who registers an image must be able to look at it.
                call.require("ecr:DescribeImages", repository)
                call.require("ecr:BatchGetImage", repository)
        return name_of(names[0])

    def _describe(self, call: Call) -> dict[str, Any]:
        record = self._state.get(MODEL_PACKAGE, call["ModelPackageName"])
        return project(record, output_shape(call.operation))

    def _list(self, call: Call) -> dict[str, Any]:
        if group := call.get("ModelPackageGroupName"):
            records = self._versions(name_of(group))
        else:
            kinds = {"Versioned": (True,), "Unversioned": (False,), "Both": (True, False)}
            wanted = kinds[call.get("ModelPackageType", "Unversioned")]
            records = [r for r in self._state.all(MODEL_PACKAGE) if ("ModelPackageVersion" in r) in wanted]
        return listing(call.operation, MODEL_PACKAGE, records, call.arguments)

    def _update(self, call: Call) -> dict[str, Any]:
        if call.get("AdditionalInferenceSpecificationsToAdd"):
            raise not_implemented("UpdateModelPackage with AdditionalInferenceSpecificationsToAdd")
        with self._state.lock:
            before = self._state.get(MODEL_PACKAGE, call["ModelPackageArn"])
            changes = _changes(before, call.arguments)
            record = self._state.change(MODEL_PACKAGE, call["ModelPackageArn"], **changes)
        if updated := [member for member, value in changes.items() if value != before.get(member)]:
            events.package_changed(self._backend.cloud, record, updated)
        return {"ModelPackageArn": record["ModelPackageArn"]}

    def _delete(self, call: Call) -> dict[str, Any]:
        self._state.remove(MODEL_PACKAGE, call["ModelPackageName"])
        return {}

    def _versions(self, group: str) -> list[Record]:
        return [r for r in self._state.all(MODEL_PACKAGE) if r.get("ModelPackageGroupName") == group]


def _changes(before: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Members that UpdateModelPackage sets; metadata is merged, then thinned out."""
    removed = (
        "ModelPackageArn",
        "ClientToken",
        "CustomerMetadataProperties",
        "CustomerMetadataPropertiesToRemove",
    )
    merged = {
        **(before.get("CustomerMetadataProperties") or {}),
        **arguments.get("CustomerMetadataProperties", {}),
    }
    for key in arguments.get("CustomerMetadataPropertiesToRemove", []):
        merged.pop(key, None)
    plain = {member: value for member, value in arguments.items() if member not in removed}
    return {**plain, "CustomerMetadataProperties": merged or None}


def _require_readable(call: Call, url: str) -> None:
    """AWS reads the artifact with the caller's own rights before it registers it."""
    bucket, key = storage.parse(url)
    try:
        call.require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    except ServiceError as error:
        raise access_denied(
            f"Access denied for bucket: {bucket}, object key: {key}. "
            "The caller needs s3:GetObject on it and kms:Decrypt on its key."
        ) from error
