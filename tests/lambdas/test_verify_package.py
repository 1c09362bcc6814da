"""A package is released only if it is ours, approved, and the bytes that were evaluated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.errors import NotFound, Transient
from contract import artifact
from lambdas.verify_package.logic import (
    MAX_NAME,
    PackageRefused,
    Verifier,
    approval_name,
    release_name,
    verify_package,
)
from tests.fixtures.archives import archive
from tests.fixtures.fakes import MemoryBucket

GROUP = "millrace-test-sign"
ARN = f"arn:aws:sagemaker:eu-central-1:1:model-package/{GROUP}/3"
APPROVED_AT = "2026-11-21T12:00:00Z"
EVENT = {"model_package_arn": ARN, "approved_at": APPROVED_AT, "execution": "execution-1"}


@dataclass
class Release:
    """A package, its artifact and its evaluation, all of them right until a test spoils one."""

    files: dict[str, bytes]
    evaluation: dict[str, Any]
    package: dict[str, Any]
    bucket: MemoryBucket = field(default_factory=lambda: MemoryBucket("artifacts"))

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        if model_package_arn != ARN:
            raise NotFound("DescribeModelPackage", "ValidationException", "the package does not exist")
        return self.package

    def verify(self, **changes: str) -> dict[str, str]:
        self.bucket.objects.setdefault("runs/r/model.tar.gz", [archive(self.files)])
        self.bucket.objects.setdefault("runs/r/evaluation.json", [json.dumps(self.evaluation).encode()])
        return verify_package(
            {**EVENT, **changes}, Verifier(registry=self, artifacts=self.bucket, group=GROUP)
        )

    def refused(self) -> str:
        with pytest.raises(PackageRefused) as caught:
            self.verify()
        return str(caught.value).removeprefix(f"{ARN} is not released: ")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    for name in artifact.SEALED:
        (tmp_path / name).write_text(f"the bytes of {name}")
    digests = artifact.seal(tmp_path)
    return Release(
        files={path.name: path.read_bytes() for path in tmp_path.iterdir()},
        evaluation={
            "passed": True,
            "missed": "",
            "artifact": digests,
            "dataset_version": "d",
            "code_digest": "c",
        },
        package={
            "ModelPackageGroupName": GROUP,
            "ModelPackageVersion": 3,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [{"ModelDataUrl": "s3://artifacts/runs/r/model.tar.gz"}]
            },
            "ModelMetrics": {
                "ModelQuality": {"Statistics": {"S3Uri": "s3://artifacts/runs/r/evaluation.json"}}
            },
            "CustomerMetadataProperties": {
                "dataset_version": "d",
                "code_digest": "c",
                "run_uri": "s3://artifacts/runs/r",
            },
        },
    )


def test_a_verified_package_gets_the_names_of_its_release(release: Release) -> None:
    told = release.verify()
    approval = approval_name(GROUP, 3, APPROVED_AT)
    name = release_name(approval, "execution-1")
    assert told == {
        "model_package_arn": ARN,
        "model_version": "millrace-test-sign/3",
        "approved_at": APPROVED_AT,
        "approval": approval,
        "model_name": name,
        "endpoint_config_name": name,
    }
    assert release.verify() == told
    assert release.verify(execution="execution-2")["model_name"] != name


def test_the_newer_way_to_name_model_data_is_read_too(release: Release) -> None:
    source = {"S3DataSource": {"S3Uri": "s3://artifacts/runs/r/model.tar.gz"}}
    release.package["InferenceSpecification"] = {"Containers": [{"ModelDataSource": source}]}
    assert release.verify()


def test_names_stay_within_sagemakers_limit_and_apart() -> None:
    names = {
        release_name(approval_name("g" * 70, version, APPROVED_AT), execution)
        for version in (1, 12345)
        for execution in ("a", "b")
    }
    assert len(names) == 4
    assert all(len(name) <= MAX_NAME for name in names)
    longest = "millrace-" + "e" * 12 + "-" + "m" * 24
    assert approval_name(longest, 1, APPROVED_AT).startswith(longest + "-"), "roles allow names that begin so"


moments = st.integers(1_500_000_000, 10_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(moments, moments, st.integers(1, 40_000), st.integers(1, 40_000), st.text(), st.text())
def test_names_sort_as_approvals_do_whatever_their_executions_are(
    one: datetime, other: datetime, version: int, another: int, execution: str, late: str
) -> None:
    def approval(at: datetime, number: int) -> str:
        return approval_name(GROUP, number, at.isoformat())

    before, after = sorted([(one, version), (other, another)])
    if before != after:
        assert release_name(approval(*before), execution) < approval(*after)
    assert approval(*after) <= release_name(approval(*after), late)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("ModelPackageGroupName", "another", f"it belongs to the group another, not {GROUP}"),
        (
            "ModelApprovalStatus",
            "PendingManualApproval",
            "its approval status is PendingManualApproval, not Approved",
        ),
        ("ModelMetrics", {}, "it names no evaluation (ModelMetrics.ModelQuality.Statistics)"),
        ("InferenceSpecification", {"Containers": []}, "it has 0 containers, not one"),
        ("InferenceSpecification", {"Containers": [{}]}, "its container names no model data"),
        (
            "CustomerMetadataProperties",
            {"code_digest": "c"},
            "its metadata and its evaluation disagree on dataset_version",
        ),
        (
            "InferenceSpecification",
            {"Containers": [{"ModelDataUrl": "s3://elsewhere/model.tar.gz"}]},
            "s3://elsewhere/model.tar.gz does not lie in this environment's artifacts bucket artifacts",
        ),
        (
            "InferenceSpecification",
            {"Containers": [{"ModelDataUrl": "s3://artifacts/none.tar.gz"}]},
            "GetObject: NoSuchVersion: none.tar.gz",
        ),
    ],
)
def test_a_package_that_is_registered_wrongly_is_refused(
    release: Release, path: str, value: Any, sentence: str
) -> None:
    release.package[path] = value
    assert release.refused() == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"passed": False, "missed": "roc_auc is 0.5 and must be >= 0.9"},
            "its evaluation missed a gate: roc_auc is 0.5 and must be >= 0.9",
        ),
        ({"code_digest": "other"}, "its metadata and its evaluation disagree on code_digest"),
        ({"artifact": {}}, "its artifact is not the one that was evaluated"),
    ],
)
def test_an_evaluation_of_something_else_is_refused(
    release: Release, changes: dict[str, Any], sentence: str
) -> None:
    release.evaluation.update(changes)
    assert release.refused() == sentence


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_an_evaluation_that_is_no_document_is_refused(release: Release, body: bytes) -> None:
    release.bucket.objects["runs/r/evaluation.json"] = [body]
    assert "its evaluation s3://artifacts/runs/r/evaluation.json is not" in release.refused()


def test_an_altered_file_is_refused_by_name(release: Release) -> None:
    release.files["model.onnx"] = b"another model"
    assert release.refused() == "altered since it was sealed: model.onnx"


def test_an_artifact_that_was_sealed_again_is_not_the_one_that_was_evaluated(
    release: Release, tmp_path: Path
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another model")
    artifact.seal(tmp_path)
    release.files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert release.refused() == "its artifact is not the one that was evaluated"


@pytest.mark.parametrize("name", ["digests.json", "model.onnx"])
def test_a_missing_file_is_refused(release: Release, name: str) -> None:
    del release.files[name]
    assert name in release.refused()


@pytest.mark.parametrize("name", ["extra.pkl", "../model.onnx", "/etc/passwd", "code/model.onnx"])
def test_an_archive_with_anything_else_is_refused(release: Release, name: str) -> None:
    release.files[name] = b"x"
    assert "which no artifact has" in release.refused()


def test_a_package_that_is_not_told_of_yet_is_asked_for_again(release: Release) -> None:
    with pytest.raises(Transient, match="is not there, or not yet"):
        release.verify(model_package_arn=ARN[:-1] + "4")
