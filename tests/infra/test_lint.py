"""cdk-nag, cfn-lint and the emulator have nothing to say against the templates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from infra.app import FLAGS, Configuration, compose
from tests.synthesis import Synthesis, alone

pytestmark = pytest.mark.synth

OURS = {"AWS::SageMaker::Pipeline", "AWS::SageMaker::ModelPackageGroup"}
"""Resource types that the local cloud adds to ministack's."""


def test_cdk_nag_fails_the_synthesis_of_an_open_bucket(root: Path, tmp_path: Path) -> None:
    with alone():
        app = cdk.App(context=FLAGS, outdir=str(tmp_path / "cdk.out"))
        storage, _ = compose(
            app, Configuration.read(root, environment="local", model="tumor"), build=tmp_path
        )
        s3.Bucket(storage, "Open")
        with pytest.raises(RuntimeError, match="ValidationFailed"):
            app.synth()
    report = (tmp_path / "cdk.out" / "validation-report.json").read_text()
    assert "AwsSolutions-S10" in report


def test_every_acknowledgment_has_a_reason(stacks: Synthesis) -> None:
    acknowledged = [
        rule
        for _, resource in stacks.resources()
        for rule in resource.get("Metadata", {}).get("cdk_nag", {}).get("rules_to_suppress", [])
    ]
    assert len(acknowledged) > 50
    assert all(len(rule["reason"].split()) >= 5 for rule in acknowledged)


def test_cfn_lint_finds_nothing(prod: Synthesis) -> None:
    templates = sorted(str(path) for path in prod.folder.glob("*.template.json"))
    assert len(templates) == 2
    lint = Path(sys.executable).with_name("cfn-lint")
    run = subprocess.run([lint, *templates], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_nothing_is_a_custom_resource(stacks: Synthesis) -> None:
    kinds = {resource["Type"] for _, resource in stacks.resources()}
    assert not [kind for kind in kinds if "Custom" in kind]


def test_the_local_cloud_knows_every_resource_type(stacks: Synthesis) -> None:
    kinds = {resource["Type"] for _, resource in stacks.resources()}
    assert kinds - OURS <= set(_RESOURCE_HANDLERS)
    assert kinds >= OURS
