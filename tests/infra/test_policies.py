"""An independent checker reads every policy: actions, resources and conditions that IAM knows, and that fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.infra.policies import Document, of_resources, of_roles, trust
from tests.infra.test_roles import as_list
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth

KNOWN = {
    r"Type mismatch: s3:TlsVersion requires a value of type Numeric but given \['1\.2'\]": (
        "the checker knows whole numbers only"
    ),
    r"Unknown condition s3:TlsVersion for action s3:\w+": (
        "the statement denies all of s3, and a few of its actions do not have the key"
    ),
    r"Unknown condition kms:EncryptionContext:aws:logs:arn for action kms:DescribeKey": (
        "CloudWatch Logs' own documentation has it in this statement"
    ),
    r"\[('kms:\w+'(, )?)+\]": "in a key's policy, * is the key",
    r"\[\{'action': 'states:ListExecutions', 'required_format': '.*:mapRun:.*'\}\]": (
        "the checker knows of map runs only; the service's reference has state machines too"
    ),
    r"Type mismatch: ArnLike requires a value of type Arn but given String": (
        "CloudWatch Logs' own documentation compares kms:EncryptionContext:aws:logs:arn so"
    ),
}
"""Findings that stand, as patterns, each with its reason."""


def as_json(node: Any) -> Any:
    """A policy for the checker, which reads no numbers in conditions."""
    match node:
        case dict():
            return {key: as_json(value) for key, value in node.items()}
        case list():
            return [as_json(value) for value in node]
    return str(node) if isinstance(node, float) else node


def findings(documents: dict[str, Document], folder: Path) -> list[tuple[str, str, str]]:
    """The checker's findings: the policy, the kind of finding, the details."""
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(as_json(document)))
    run = subprocess.run(
        [Path(sys.executable).with_name("parliament"), "--directory", folder, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert not run.stderr, run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return [
        (Path(each["location"].get("filepath", "")).stem, each["issue"], str(each["detail"]))
        for each in found
    ]


def test_an_independent_checker_accepts_every_policy(stacks: Synthesis, tmp_path: Path) -> None:
    documents = dict(of_roles(stacks)) | dict(of_resources(stacks))
    assert len(documents) > 25

    found = findings(documents, tmp_path)

    used = {each: [known for known in KNOWN if re.fullmatch(known, each[2])] for each in found}
    assert [each for each, known in used.items() if not known] == []
    assert {known for each in used.values() for known in each} == set(KNOWN), "a reason that is not needed"


def test_the_checker_finds_what_would_not_work(tmp_path: Path) -> None:
    def policy(action: str, resource: str, condition: dict[str, Any] | None = None) -> Document:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        return {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition or {}}]}

    wrong = {
        "action": policy("sagemaker:InvokeEndpoints", "*"),
        "resource": policy("s3:GetObject", "arn:aws:s3:::bucket"),
        "condition": policy(
            "s3:ListBucket", "arn:aws:s3:::bucket", {"StringLike": {"s3:prefixes": "runs/*"}}
        ),
    }
    assert Counter(name for name, _, _ in findings(wrong, tmp_path)) == dict.fromkeys(wrong, 1)


def test_the_release_may_make_a_model_of_a_package(stacks: Synthesis) -> None:
    """SageMaker asks for the right on the package, too: AWS's own solutions grant both."""
    name = f"millrace-{stacks.configuration.environment_name}-tumor"
    granted = {
        role.partition("StateMachine")[0]: {
            resource.partition(":sagemaker:")[2].split(":", 2)[2]
            for resource in as_list(statement["Resource"])
        }
        for role, document in of_roles(stacks)
        for statement in document["Statement"]
        if "sagemaker:CreateModel" in as_list(statement["Action"])
    }
    # A batch makes its model of the artifact, not of the package.
    assert granted == {
        "Release": {f"model/{name}-*", f"model-package/{name}/*"},
        "Batch": {f"model/{name}-*"},
    }


def test_the_pipeline_may_read_the_image_that_it_registers(stacks: Synthesis) -> None:
    [pipeline] = [document for name, document in of_roles(stacks) if name.startswith("TrainingPipelineRole")]
    [read] = [s for s in pipeline["Statement"] if "ecr:DescribeImages" in s["Action"]]
    assert set(read["Action"]) == {"ecr:BatchGetImage", "ecr:DescribeImages"}
    assert ":repository/" in read["Resource"]
    assert "*" not in read["Resource"]


def test_every_trust_names_one_service(stacks: Synthesis) -> None:
    for name, document in trust(stacks).items():
        [statement] = document["Statement"]
        assert statement["Action"] == "sts:AssumeRole", name
        assert set(statement["Principal"]) == {"Service"}, name
