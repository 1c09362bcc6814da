"""Every command teaches by example and fails with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.main import get_command

from cli.main import app
from tests.cli.conftest import Run

COMMANDS = sorted(get_command(app).commands)  # type: ignore[attr-defined]


def test_all_commands_are_there() -> None:
    assert set(COMMANDS) == {
        "new-model", "up", "deploy", "down", "status", "env", "outputs", "train", "pages", "logs", "redrive", "demo", "quotas",
        "models", "datasets", "trace", "monitor", "permissions",
    }  # fmt: skip


def test_the_version_is_that_of_the_changelogs_first_section(run: Run, root: Path) -> None:
    newest = next(line for line in (root / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert run("--version").output == f"millrace {newest.removeprefix('## ').partition(',')[0]}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(run: Run, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"./millrace {command}" in result.output.partition("Examples")[2]


@pytest.mark.parametrize(
    "command", sorted(set(COMMANDS) - {"new-model", "up", "down", "demo", "permissions"})
)
def test_every_other_command_takes_an_environment(run: Run, command: str) -> None:
    assert "--environment" in run(command, "--help").output


@pytest.mark.parametrize(
    "command",
    ["status", "models", "datasets", "env", "outputs", "train", "pages", "logs", "redrive", "deploy"],
)
def test_without_a_cloud_a_sentence_says_how_to_start_it(run: Run, command: str) -> None:
    result = run(command, "--port", "4577")

    assert result.exit_code == 1
    assert (
        result.stderr
        == "error: no local cloud is running on port 4577: start it with ./millrace up --port 4577.\n"
    )


def test_an_unknown_environment_is_told_with_those_there_are(run: Run) -> None:
    result = run("env", "--environment", "porduction")

    assert result.exit_code == 1
    assert "local, dev, prod" in result.stderr


def test_credentials_of_another_account_are_refused(run: Run, aws: object) -> None:
    result = run("outputs", "--environment", "dev")

    assert result.exit_code == 1
    assert (
        "environment dev is account 111122223333, but your credentials are for 123456789012" in result.stderr
    )


def test_an_account_needs_no_local_cloud_for_its_variables(run: Run) -> None:
    assert run("env", "--environment", "dev").stdout == "export AWS_REGION=eu-west-1\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["logs", "--since", "yesterday"], "30m, 6h or 2d"),
        (["deploy", "-c", "income"], "model=income"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_what_cannot_be_understood_ends_with_code_2(run: Run, arguments: list[str], told: str) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert told in result.stderr


def test_a_bug_of_ours_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    no_such_key: dict[object, object] = {}
    monkeypatch.setattr("local.status", no_such_key.__getitem__)

    assert isinstance(run("status").exception, KeyError)
