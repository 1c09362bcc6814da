"""`models` lists versions, compares them, and keeps who decided what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.aws import reports
from cli.aws.clients import Aws
from cli.aws.registry import decide, read_package_evaluation, version, versions
from cli.aws.session import Deployment
from cli.commands.models import after_approval, two_versions
from cli.kit.errors import CliError
from cli.views.evaluation import comparison_table
from cli.views.version_tables import versions_table
from tests.cli.conftest import Run
from tests.cli.registered import CARD, EVALUATIONS, GROUP, deploy_group, live, register


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    deployed = deploy_group(aws)
    for auc in (0.85, 0.95):
        register(aws, f"{auc}".encode().hex().ljust(64, "0"), auc)
    return deployed


def told(deployed: Deployment) -> str:
    console = Console(width=140)
    with console.capture() as captured:
        console.print(versions_table(deployed, versions(deployed)[0]))
    return captured.get()


def test_versions_are_listed_newest_first(deployed: Deployment) -> None:
    assert [found.name for found in versions(deployed)[0]] == [f"{GROUP}/2", f"{GROUP}/1"]


def test_a_version_is_told_with_its_gates_dataset_and_what_is_live(deployed: Deployment) -> None:
    live(deployed, 1)

    newest, older = told(deployed).split(f"{GROUP}/1")

    assert "PendingManualApproval" in newest
    assert "roc_auc 0.95 ✓ >= 0.9" in newest
    assert "302e39350000" in newest
    assert "live" not in newest
    assert "roc_auc 0.85 ✗ >= 0.9" in older
    assert "live" in older


def test_nothing_is_cut_however_narrow_the_terminal(deployed: Deployment) -> None:
    console = Console(width=30)
    with console.capture() as captured:
        console.print(versions_table(deployed, versions(deployed)[0]))
    assert "…" not in captured.get()
    assert "modelsreport1--environmentdev--modeltumor" in "".join(captured.get().split())


def test_a_version_whose_evaluation_is_gone_is_listed_all_the_same(deployed: Deployment) -> None:
    deployed.aws.s3.delete_object(Bucket=EVALUATIONS, Key="runs/r1-0.95/evaluation.json")

    assert "its evaluation.json is not there" in told(deployed)


def test_two_versions_are_compared_with_intervals(deployed: Deployment) -> None:
    evaluations = {
        found.name: read_package_evaluation(deployed.aws, found) or {} for found in versions(deployed)[0]
    }
    console = Console(width=140)
    with console.capture() as captured:
        console.print(comparison_table(evaluations))

    assert "0.95 (0.94 to unknown)" in captured.get()
    assert "0.85 (0.84 to unknown)" in captured.get()


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The options of a command about the version's model; the mocked account is that of `dev`."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "111122223333")
    return ("--environment", "dev", "--model", "tumor")


@pytest.mark.slow
def test_versions_are_compared_and_decided_on_from_the_command_line(
    ours: tuple[str, ...], deployed: Deployment, run: Run
) -> None:
    newest = run("models", "--limit", "1", *ours).stdout
    assert f"{GROUP}/2" in newest
    assert f"{GROUP}/1" not in newest
    assert "1 older: ./millrace models --limit 2 --environment dev --model tumor" in newest
    alike = run("models", "compare", "1", "1", *ours)
    assert (alike.exit_code, alike.stdout) == (1, "")
    assert alike.stderr == "error: 1 and 1 are the same version: ./millrace models lists the others.\n"

    shown = run("models", "show", "1", *ours).stdout
    assert f"s3://{EVALUATIONS}/runs/r1-0.85/report.html" in shown
    assert "✗ >= 0.9" in shown
    assert "0.85 (0.84 to unknown)" in run("models", "compare", "1", "2", *ours).stdout
    assert "is being released" in run("models", "approve", "2", "--note", "better", *ours).stdout
    again = run("models", "approve", "2", "--note", "x", *ours).stderr
    assert "is Approved already: better" in again
    assert "To release it again, reject it first" in again
    assert f"{GROUP}/1: worse (Rejected" in run("models", "reject", "1", "--note", "worse", *ours).stdout
    assert "Rejected" in run("models", "show", "1", *ours).stdout


def test_a_report_is_brought_here(deployed: Deployment, tmp_path: Path) -> None:
    uri = version(deployed, "2").origin["report"]
    page = reports.fetch(deployed.aws, uri, tmp_path)
    assert page == tmp_path / "r1-0.95" / "report.html"
    assert page.read_text() == "<h1>0.95</h1>"
    with pytest.raises(CliError, match=f"there is no {uri}x: was the run's folder deleted"):
        reports.fetch(deployed.aws, f"{uri}x", tmp_path)


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
def test_a_decision_keeps_the_note_and_who_made_it(deployed: Deployment, status: str) -> None:
    decide(deployed.aws, version(deployed, "2"), status, "better on\nyoung adults")  # type: ignore[arg-type]

    found = version(deployed, f"{GROUP}/2")
    assert found.status == status
    assert found.description.startswith(f"better on young adults ({status} by arn:aws:")
    assert "better on young adults" in told(deployed)
    with pytest.raises(CliError, match=f"{GROUP}/2 is {status} already: better on"):
        decide(deployed.aws, found, status, "again")  # type: ignore[arg-type]


@pytest.mark.parametrize(("note", "complaint"), [(" \n", "the note is empty"), ("x" * 1024, "too long by")])
def test_a_note_that_cannot_be_kept_changes_nothing(deployed: Deployment, note: str, complaint: str) -> None:
    with pytest.raises(CliError, match=complaint):
        decide(deployed.aws, version(deployed, "1"), "Approved", note)

    assert version(deployed, "1").status == "PendingManualApproval"


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ("3", f"there is no version {GROUP}/3"),
        ("newest", "'newest' is no version"),
        ("millrace-dev-income/1", "is not a version of tumor"),
    ],
)
def test_no_such_version(deployed: Deployment, named: str, complaint: str) -> None:
    with pytest.raises(CliError, match=complaint):
        version(deployed, named)


def sent(deployed: Deployment) -> list[dict[str, Any]]:
    """What UpdateModelPackage is asked from now on; moto forgets the card of a package."""
    asked: list[dict[str, Any]] = []
    deployed.aws.sagemaker.meta.events.register(
        "provide-client-params.sagemaker.UpdateModelPackage", lambda params, **_: asked.append(params)
    )
    return asked


def test_an_approved_version_gets_its_card_with_the_approval_in_it(deployed: Deployment) -> None:
    asked = sent(deployed)

    told = decide(deployed.aws, version(deployed, "2"), "Approved", "good enough")

    [update] = asked
    text = update["ModelCard"]["ModelCardContent"]
    assert update["ModelCard"]["ModelCardStatus"] == "Approved"
    assert json.loads(text) == {
        **CARD,
        "additional_information": {"custom_details": {"x": "é", "approval": told}},
    }
    assert "\n" not in text


def test_a_rejected_version_or_one_without_a_card_is_decided_on_all_the_same(deployed: Deployment) -> None:
    asked = sent(deployed)
    deployed.aws.s3.delete_object(Bucket=EVALUATIONS, Key="runs/r1-0.95/card.json")

    decide(deployed.aws, version(deployed, "1"), "Rejected", "bad")
    decide(deployed.aws, version(deployed, "2"), "Approved", "good")

    assert ["ModelCard" in update for update in asked] == [False, False]


def test_what_is_said_of_an_approval_is_true(deployed: Deployment) -> None:
    live(deployed, 1)

    assert "is being released" in after_approval(deployed, version(deployed, "2"))
    assert "is live already" in after_approval(deployed, version(deployed, "1"))


@pytest.mark.parametrize("option", ["--environment", "-e"])
@pytest.mark.parametrize("command", [["approve", "4", "--note", "x"], ["compare", "1", "2"], ["show", "1"]])
def test_an_option_before_the_command_is_no_option_that_is_ignored(
    run: Run, option: str, command: list[str]
) -> None:
    result = run("models", option, "prod", *command)

    assert result.exit_code == 1
    assert f"./millrace models {command[0]} … --environment prod" in result.stderr


def test_variables_are_no_options_that_were_typed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_MODEL", "tumor")

    assert "no local cloud is running" in run("models", "show", "1").stderr


@pytest.mark.parametrize("second", ["1", f"{GROUP}/1", "01"])
def test_a_version_is_not_compared_with_itself(deployed: Deployment, second: str) -> None:
    with pytest.raises(CliError, match="are the same version"):
        two_versions(deployed, "1", second)
    assert [one.name for one in two_versions(deployed, "1", "2")] == [f"{GROUP}/1", f"{GROUP}/2"]
