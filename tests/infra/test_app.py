"""The app as people run it: with the CDK CLI, for a real account, and with wrong names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.code import code_digest
from contract.names.outputs import Kind, Output, of_kind
from infra.app import Configuration
from infra.kit.image import SOURCES
from infra.settings import SettingsError
from infra.training.pipeline.check import main
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


def run(*command: str, root: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command in the repository, with nobody's AWS and every proxy a dead end."""
    paths = [Path(sys.executable).parent, root / "node_modules" / ".bin"]
    nowhere = "http://127.0.0.1:9"
    return subprocess.run(
        command,
        cwd=root,
        env={
            "PATH": os.pathsep.join([*map(str, paths), os.environ["PATH"]]),
            "HOME": str(folder),
            "PYTHONPATH": str(root),
            "HTTPS_PROXY": nowhere,
            "HTTP_PROXY": nowhere,
            "CDK_DISABLE_VERSION_CHECK": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cdk_cli_synthesises_production_and_the_checker_passes_it(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "cdk.out"
    synth = run(
        "cdk", "synth", "--quiet", "-c", "environment=prod", "--output", str(out), root=root, folder=tmp_path
    )
    assert synth.returncode == 0, synth.stderr
    templates = sorted(out.glob("*.template.json"))
    assert [path.name for path in templates] == [
        "millrace-prod-tumor-loop.template.json",
        "millrace-prod-tumor-storage.template.json",
    ]
    assert main([str(path) for path in templates]) == 0


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"environment": "prd"}, 'there is no environment "prd" (did you mean "prod"?); found in'),
        ({"model": "tumour"}, 'there is no model "tumour" (did you mean "tumor"?); found in'),
        ({"image_uri": "millrace"}, "-c image_uri: image_uri: found 'millrace'; allowed: match pattern"),
    ],
)
def test_a_wrong_choice_is_refused_with_its_remedy(root: Path, choice: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(expected)):
        Configuration.read(root, **choice)


def test_the_app_ends_with_one_clear_sentence(root: Path, tmp_path: Path) -> None:
    program = (
        "import os, runpy\n"
        f"os.environ['CDK_CONTEXT_JSON'] = {json.dumps({'environment': 'prd'})!r}\n"
        "runpy.run_path('app.py', run_name='__main__')\n"
    )
    wrong = run(sys.executable, "-c", program, root=root, folder=tmp_path)
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
    assert 'there is no environment "prd" (did you mean "prod"?); found in' in wrong.stderr


def test_commands_and_people_find_everything_by_the_outputs(stacks: Synthesis, root: Path) -> None:
    outputs: dict[str, Any] = {
        name: o["Value"] for template in stacks.templates for name, o in template["Outputs"].items()
    }
    assert set(Output) - {Output.PAGE_INBOX} <= outputs.keys()
    values = list(outputs.values())
    functions = [f["Properties"]["FunctionName"] for f in stacks.of_type("AWS::Lambda::Function").values()]
    logs = of_kind(outputs, Kind.LOG_SOURCE)
    for function in functions:
        assert function in of_kind(outputs, Kind.FUNCTION).values()
        assert f"/aws/lambda/{function}" in logs.values()
    for queue in stacks.of_type("AWS::SQS::Queue"):
        assert {"Ref": queue} in values
    for machine in stacks.of_type("AWS::StepFunctions::StateMachine"):
        arn: Any = {"Fn::GetAtt": [machine, "Arn"]}
        assert arn in of_kind(outputs, Kind.STATE_MACHINE).values()
        assert arn in logs.values()
    readme = (root / "README.md").read_text()
    named = re.findall(r"`(\w+)`", re.search(r"`./millrace logs score` \((.*?)\)", readme)[1])  # type: ignore[index]
    assert {"score", *named} <= logs.keys()
    again = re.findall(r"`(\w+)`", re.search(r"`./millrace redrive` \((.*?)\)", readme)[1])  # type: ignore[index]
    assert again
    assert set(again) <= of_kind(outputs, Kind.REDRIVE_ROUTE).keys()


def test_stacks_are_named_and_placed_by_the_configuration(stacks: Synthesis) -> None:
    manifest = json.loads((stacks.folder / "manifest.json").read_text())
    name = stacks.configuration.environment_name
    settings = stacks.configuration.environment
    for part in ("storage", "loop"):
        artifact = manifest["artifacts"][f"millrace-{name}-tumor-{part}"]
        assert artifact["environment"] == f"aws://{settings.account}/{settings.region}"
    assert (
        f"millrace-{name}-tumor-storage"
        in manifest["artifacts"][f"millrace-{name}-tumor-loop"]["dependencies"]
    )


def test_production_asks_before_its_data_goes(prod: Synthesis) -> None:
    manifest = json.loads((prod.folder / "manifest.json").read_text())
    properties = manifest["artifacts"]["millrace-prod-tumor-storage"]["properties"]
    assert properties["terminationProtection"] is True


def test_an_account_builds_the_image_and_the_laptop_is_given_one(prod: Synthesis, root: Path) -> None:
    assets = json.loads((prod.folder / "millrace-prod-tumor-loop.assets.json").read_text())
    [image] = assets["dockerImages"].values()
    folder = prod.folder / image["source"]["directory"]
    assert image["source"]["dockerFile"] == "container/Dockerfile"
    assert image["source"]["dockerOutputs"] == ["type=image,oci-mediatypes=false"], "SageMaker takes no OCI"
    assert {path.name for path in folder.iterdir()} == {*SOURCES, "models"}
    assert code_digest(folder, "tumor") == code_digest(root, "tumor"), "the jobs would refuse to run"
    assert [path.name for path in (folder / "models").iterdir()] == ["tumor"]
    assert not list(folder.rglob("__pycache__"))
