"""The time that each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

BAR_CHARACTERS = 30


class Timeline:
    """Stages one after the other: each says what it is when it begins, and how long it took."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stages: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Do the body as one stage."""
        self._console.print(f"\n[bold cyan]▸ {title}[/bold cyan]")
        begun = time.monotonic()
        yield
        self._stages.append((title, time.monotonic() - begun))

    @property
    def seconds(self) -> float:
        """All stages together."""
        return sum(seconds for _, seconds in self._stages)

    def table(self) -> Table:
        """The stages with a bar each, to scale."""
        table = Table.grid(padding=(0, 2))
        for title, seconds in self._stages:
            bar = "━" * round(BAR_CHARACTERS * seconds / max(self.seconds, 0.001))
            table.add_row(f"  {title}", f"[cyan]{bar or '╸'}[/cyan]", f"{seconds:.1f} s")
        table.add_row("  [bold]all[/bold]", "", f"[bold]{self.seconds:.1f} s[/bold]")
        return table
