"""How figures are shown: medians, ratios, and whether a target is met."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

console = Console()


def table(title: str, *columns: str) -> Table:
    """An empty table: the first column is text, the others are figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for i, name in enumerate(columns):
        made.add_column(name, justify="right" if i else "left")
    return made


def machine() -> str:
    """What ran the benchmark, as far as a figure depends on it."""
    busy = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}{busy}"


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median of the ratios of figures taken in the same rounds: drift of the machine cancels."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))


def judged(text: str, met: bool) -> str:
    """A figure, green where its target is met and red where it is missed."""
    return f"[green]{text}[/green]" if met else f"[red]{text}[/red]"
