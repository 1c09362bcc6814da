"""The functions get what they read, and are called as their queues need."""

from __future__ import annotations

import dataclasses
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.schema import Contract
from infra.kit.bundle import make_bundle
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth


def functions(stacks: Synthesis) -> dict[str, dict[str, Any]]:
    """The functions' properties, by the name of their folder."""
    found = [f["Properties"] for f in stacks.of_type("AWS::Lambda::Function").values()]
    return {properties["Handler"].split(".")[1]: properties for properties in found}


def test_there_is_a_function_for_each_folder(root: Path, stacks: Synthesis) -> None:
    assert set(functions(stacks)) == {path.parent.name for path in root.glob("lambdas/*/handler.py")}


def test_a_functions_environment_is_its_settings(stacks: Synthesis) -> None:
    for name, properties in functions(stacks).items():
        settings = importlib.import_module(f"lambdas.{name}.settings").Settings
        expected = {field.name.upper() for field in dataclasses.fields(settings)}
        assert set(properties["Environment"]["Variables"]) == expected, name


def test_settings_read_the_environment_they_are_given(stacks: Synthesis) -> None:
    for name, properties in functions(stacks).items():
        variables = properties["Environment"]["Variables"]
        flat = {k: v if isinstance(v, str) else json.dumps(v) for k, v in variables.items()}
        settings = importlib.import_module(f"lambdas.{name}.settings").Settings.from_environ(flat)
        assert settings.model == "tumor"


def test_every_handler_is_importable_from_the_code_that_is_deployed(stacks: Synthesis) -> None:
    handlers = [properties["Handler"] for properties in functions(stacks).values()]
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    module, function = name.rsplit('.', 1)\n"
        "    loaded = importlib.import_module(module)\n"
        "    assert callable(getattr(loaded, function)) and loaded.__file__.startswith(sys.path[0]), name\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[0] = {str(stacks.bundle)!r}\n{program}", *handlers],
        cwd=stacks.bundle,
        env={"AWS_DEFAULT_REGION": "eu-west-1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_the_code_carries_the_contract_and_nothing_but_source(stacks: Synthesis) -> None:
    files = {path.relative_to(stacks.bundle) for path in stacks.bundle.rglob("*") if path.is_file()}
    contract = stacks.configuration.model.contract()
    assert Contract.from_json((stacks.bundle / "contract.json").read_bytes()) == contract
    assert json.loads((stacks.bundle / "gates.json").read_bytes()) == stacks.configuration.model.gates
    assert {path.suffix for path in files} == {".py", ".json"}
    assert {path.parts[0] for path in files} == {
        "adapters",
        "contract",
        "lambdas",
        "metrics",
        "releasing",
        "scoring",
        "tabular",
        "contract.json",
        "gates.json",
    }


def test_the_same_code_gives_the_same_bundle(root: Path, stacks: Synthesis, tmp_path: Path) -> None:
    contract = stacks.configuration.model.contract()
    (tmp_path / "left over").touch()
    again = make_bundle(root=root, contract=contract, gates=stacks.configuration.model.gates, folder=tmp_path)

    def contents(folder: Path) -> dict[Path, bytes]:
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert contents(again) == contents(stacks.bundle)


def test_all_functions_share_one_asset_and_none_a_log_group(stacks: Synthesis) -> None:
    found = functions(stacks).values()
    assert len({json.dumps(properties["Code"]) for properties in found}) == 1
    groups = {json.dumps(properties["LoggingConfig"]["LogGroup"]) for properties in found}
    assert len(groups) == len(found)


def test_every_log_group_is_encrypted_and_ends(stacks: Synthesis) -> None:
    groups = stacks.of_type("AWS::Logs::LogGroup")
    writers = (*stacks.of_type("AWS::Lambda::Function"), *stacks.of_type("AWS::StepFunctions::StateMachine"))
    assert len(groups) == len(writers)
    for group in groups.values():
        assert group["Properties"]["KmsKeyId"]
        assert group["Properties"]["RetentionInDays"] == stacks.configuration.environment.retention.log_days


def test_a_queue_waits_six_times_as_long_as_its_function_may_take(stacks: Synthesis) -> None:
    queues = stacks.of_type("AWS::SQS::Queue")
    named = stacks.of_type("AWS::Lambda::Function")
    mappings = stacks.of_type("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == 3
    for mapping in mappings.values():
        properties = mapping["Properties"]
        timeout = named[properties["FunctionName"]["Ref"]]["Properties"]["Timeout"]
        queue = queues[properties["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * timeout + properties["MaximumBatchingWindowInSeconds"]


def test_batches_report_what_failed(stacks: Synthesis) -> None:
    for mapping in stacks.of_type("AWS::Lambda::EventSourceMapping").values():
        assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        # SQS lets a batch be larger than ten only where messages are gathered for a while.
        window = mapping["Properties"]["MaximumBatchingWindowInSeconds"]
        assert mapping["Properties"]["BatchSize"] <= 10 or window >= 1


def test_an_upload_and_a_result_of_nine_times_its_size_fit_on_the_disk(stacks: Synthesis) -> None:
    disk = functions(stacks)["score_upload"]["EphemeralStorage"]["Size"]
    assert disk == 10 * stacks.configuration.environment.scoring.max_upload_mib


def test_an_upload_has_the_functions_whole_time(stacks: Synthesis) -> None:
    mappings = stacks.of_type("AWS::Lambda::EventSourceMapping").items()
    [scoring] = [mapping["Properties"] for name, mapping in mappings if name.startswith("Scoring")]
    assert scoring["BatchSize"] == 1
