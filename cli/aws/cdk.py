"""The real CDK CLI as a child process: watched line by line, its output kept in a log."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.aws.session import ABSENT, local_variables
from cli.kit.errors import CliError
from cli.kit.options import LOCAL
from cli.kit.paths import ROOT, STATE, display, tool_path

TAIL_LINES = 15

_EVENT = re.compile(
    r"(?P<stack>millrace-\S+|CDKToolkit)\s+\|\s*(?P<done>\d+)/(?P<all>\d+)\s+\|.*?\|\s*(?P<status>[A-Z_]+)\s*\|\s*(?P<type>AWS::\S+)"
)


@dataclass(frozen=True)
class Cdk:
    """The CDK CLI with one environment's variables. Each run writes `log` anew.

    It knows an app by the cdk.json of the `folder` it runs in.
    """

    variables: Mapping[str, str]
    log: Path
    folder: Path = ROOT

    def run(self, *arguments: str, on_progress: Callable[[str], None]) -> None:
        """Run a command to its end; what it says goes to the log, its progress to `on_progress`.

        Raises:
            CliError: it failed; the message ends with the last lines it said.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w", encoding="utf-8") as log, self._start(arguments) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                log.flush()
                if text := progress(line):
                    on_progress(text)
        if process.returncode:
            raise CliError(
                f"cdk {arguments[0]} failed. The whole output: {display(self.log)}. Its end:\n{self._tail()}"
            )

    def run_attached(self, *arguments: str) -> None:
        """Run a command on this terminal, so that it can ask.

        Raises:
            CliError: it failed, having said why.
        """
        if subprocess.run(_command(arguments), cwd=self.folder, env=self.variables, check=False).returncode:
            raise CliError(f"cdk {arguments[0]} failed: its output is above.")

    def _start(self, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            _command(arguments),
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def _tail(self) -> str:
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.strip()]
        return "\n".join(lines[-TAIL_LINES:])


def cdk(environment: str, port: int, name: str, folder: Path = ROOT) -> Cdk:
    """The CDK CLI for an environment; `name` tells its logs apart."""
    place = f"{environment}-{port}" if environment == LOCAL else environment
    return Cdk(child_variables(environment, port), STATE / "logs" / f"{name}-{place}.log", folder)


def child_variables(environment: str, port: int) -> dict[str, str]:
    """The whole environment of a tool that is to use an environment's AWS."""
    variables = {**os.environ, "PATH": tool_path(), "PYTHONPATH": str(ROOT)}
    if environment == LOCAL:
        variables = {name: value for name, value in variables.items() if name not in ABSENT}
        variables |= local_variables(port)
    return variables


def progress(line: str) -> str:
    """Return the progress in a line of the CDK CLI's output, or nothing."""
    if event := _EVENT.search(line):
        return f"{event['stack']}  {event['done']}/{event['all']}  {event['type']}"
    return line.strip() if line.startswith("millrace-") and "..." in line else ""


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [str(ROOT / "node_modules" / ".bin" / "cdk"), *arguments]
