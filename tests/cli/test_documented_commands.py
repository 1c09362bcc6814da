"""Every command of ours and of the AWS CLI in the documentation exists, with its options."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from awscli.clidriver import create_clidriver  # type: ignore[import-untyped]

from cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NO_SKELETON = {"s3": {"cp", "ls", "mv", "rm"}, "sagemaker-runtime": {"invoke-endpoint"}}
"""Commands of the AWS CLI that print none."""


def commands(program: str) -> list[tuple[str, str]]:
    """Page and command, wherever one stands in a block of shell; what the shell fills in is an x."""
    found = set()
    for page in PAGES:
        for block in re.findall(r"^```(?:sh|bash|shell)\n(.*?)^```", page.read_text(), flags=re.M | re.S):
            text = re.sub(r"\\\n\s*|\s#.*", " ", block).replace("$endpoint", "")
            text = re.sub(r"\$\((?!\./millrace)[^)]*\)|\$\{[^}]*\}|\$\w+", "x", text)
            pattern = rf"(?:^|\$\(|; |\| )\s*({re.escape(program)} [^\n|;)]*)"
            found |= {(page.name, command.strip()) for command in re.findall(pattern, text, flags=re.M)}
    return sorted(found)


@pytest.mark.parametrize(("page", "command"), commands("./millrace"))
def test_our_commands_parse(page: str, command: str) -> None:
    group = typer.main.get_command(app)
    arguments = shlex.split(command)[1:]
    while isinstance(group, typer.core.TyperGroup) and arguments and arguments[0] in group.commands:
        group = group.commands[arguments.pop(0)]
    assert not isinstance(group, typer.core.TyperGroup) or group.invoke_without_command, command
    with group.make_context(command, arguments):
        pass


@pytest.mark.parametrize(("page", "command"), commands("aws"))
def test_commands_of_the_aws_cli_parse(page: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    service, operation, *options = shlex.split(command)[1:]
    if service in NO_SKELETON:
        assert operation in NO_SKELETON[service]
        return
    code = create_clidriver().main([service, operation, *options, "--generate-cli-skeleton"])
    assert code == 0, capsys.readouterr().err


def test_sqs_is_told_where_it_is() -> None:
    told = [command for _, command in commands("aws") if command.startswith("aws sqs")]
    assert told
    for page in PAGES:
        for line in page.read_text().splitlines():
            if line.startswith("aws sqs"):
                assert "$endpoint" in line, f"{page.name}: {line}"
