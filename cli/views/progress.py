"""A run's steps on the screen: a live table on a terminal, a line a step elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.aws.runs import ENDED, PENDING, Run, Step
from cli.views.terminal import out

_MARKS = {
    "Succeeded": ("✓", "green"),
    "Failed": ("✗", "red"),
    "Stopped": ("■", "yellow"),
    PENDING: ("·", "dim"),
}
_RUNNING = ("▸", "cyan")


class StepsDisplay:
    """Shows each state of a run that it is handed, while it is entered."""

    def __init__(self, console: Console = out) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, run: Run) -> None:
        """Show the run as it stands."""
        if self._live:
            self._live.update(steps_table(run), refresh=True)
            return
        for step in run.steps:
            if step.status in ENDED and step.name not in self._said:
                self._said.add(step.name)
                self._console.print(_line(step))


def steps_table(run: Run) -> Table:
    """A run's steps, one a row: mark, name, seconds."""
    table = Table.grid(padding=(0, 2))
    for step in run.steps:
        mark, style = _MARKS.get(step.status, _RUNNING)
        table.add_row(Text(f"  {mark}", style), Text(step.name, style), Text(_time(step), "dim"))
    return table


def _line(step: Step) -> Text:
    mark, style = _MARKS[step.status]
    return Text.assemble(f"  {mark} ", (f"{step.name:<10}", style), _time(step), style=style)


def _time(step: Step) -> str:
    if step.reused:
        return "from an earlier run"
    return "" if step.seconds is None else f"{step.seconds:.1f} s"
