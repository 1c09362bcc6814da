"""`datasets` lists dataset versions, their rows, and which models were trained on them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.console import Console

from cli.aws.clients import Aws
from cli.aws.dataset_versions import datasets
from cli.aws.session import Deployment
from cli.commands.datasets import datasets_table
from contract.documents.dataset import Manifest, PinnedObject
from contract.layout import manifest_key, parameters_key, validation_key
from tests.cli.registered import EVALUATIONS, GROUP, deploy_group, live, register


def pin(deployed: Deployment, *files: str) -> str:
    """A dataset version of files of twelve bytes each."""
    objects = [PinnedObject(key=name, version_id="v", sha256=name, size=12) for name in files]
    manifest = Manifest.of(objects)
    body = manifest.to_json().encode()
    deployed.aws.s3.put_object(Bucket=deployed["DataBucket"], Key=manifest_key(manifest.version), Body=body)
    return manifest.version


def run(deployed: Deployment, run_id: str, dataset: str, report: dict[str, Any] | None = None) -> None:
    """A run that was started on a dataset version, and what its validation reported."""
    documents = {parameters_key(run_id): {"DatasetVersion": dataset}}
    if report is not None:
        documents[validation_key(run_id)] = report
    for key, document in documents.items():
        deployed.aws.s3.put_object(Bucket=EVALUATIONS, Key=key, Body=json.dumps(document))


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    return deploy_group(aws)


def told(deployed: Deployment) -> dict[str, str]:
    """What is said of each dataset version, by the beginning of it."""
    found, _ = datasets(deployed, limit=20)
    console = Console(width=140)
    with console.capture() as captured:
        console.print(datasets_table(deployed, found))
    blocks: dict[str, str] = {}
    for line in captured.get().splitlines():
        if not line.startswith(" "):
            name = line.split()[0]
        blocks[name] = blocks.get(name, "") + line + "\n"
    return blocks


def test_each_version_is_told_with_its_rows_files_and_models(deployed: Deployment) -> None:
    one, two = pin(deployed, "training/a.csv"), pin(deployed, "training/a.csv", "training/b.csv")
    run(deployed, "r1", one, {"rows": 1234, "passed": True})
    run(deployed, "r2", two, {"rows": 2468, "passed": True})
    register(deployed.aws, one, 0.95)
    register(deployed.aws, two, 0.96)
    live(deployed, 2)

    blocks = told(deployed)

    assert blocks.keys() == {one[:12], two[:12]}
    assert "1,234 rows" in blocks[one[:12]]
    assert f"{GROUP}/1" in blocks[one[:12]]
    assert "live" not in blocks[one[:12]]
    for part in ("2,468 rows", "training/a.csv", "training/b.csv", "12 bytes", f"{GROUP}/2", "live"):
        assert part in blocks[two[:12]]


def test_rows_are_those_of_the_run_that_validated_and_not_of_one_that_took_them_from_the_cache(
    deployed: Deployment,
) -> None:
    version = pin(deployed, "training/a.csv")
    run(deployed, "r0", version)
    run(deployed, "r1", version, {"rows": 7, "passed": False})

    text = told(deployed)[version[:12]]

    assert "7 rows, stopped by validation" in text
    assert "none registered" in text
    assert "2 runs started on it" in text


def test_a_version_that_no_run_validated_says_so(deployed: Deployment) -> None:
    version = pin(deployed, *(f"training/{n}.csv" for n in range(8)))

    text = told(deployed)[version[:12]]

    assert "rows not counted" in text
    assert "and 3 more" in text
    assert "96 bytes in all" in text


def test_a_version_whose_manifest_is_missing_is_none(deployed: Deployment) -> None:
    deployed.aws.s3.put_object(Bucket=deployed["DataBucket"], Key="datasets/ab/data/x-a.csv", Body=b"x")

    assert datasets(deployed, limit=20) == ([], 0)


def test_only_the_newest_are_shown_and_the_others_counted(deployed: Deployment) -> None:
    for n in range(3):
        pin(deployed, f"training/{n}.csv")

    found, older = datasets(deployed, limit=2)

    assert (len(found), older) == (2, 1)
