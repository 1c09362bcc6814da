"""The terminal: results on standard output, everything about getting there on standard error."""

from __future__ import annotations

import sys
from typing import TextIO

from rich.console import Console
from rich.table import Column, Table

PLAIN_WIDTH = 140
"""Columns of a table that goes into a file or a pipe."""


def _width(stream: TextIO) -> int | None:
    return None if stream.isatty() else PLAIN_WIDTH


out = Console(highlight=False, width=_width(sys.stdout))
"""Results."""
err = Console(stderr=True, highlight=False, width=_width(sys.stderr))
"""Progress, warnings and errors."""


def warn(text: str) -> None:
    """Say something that does not stop the command and should not be missed."""
    err.print(f"[yellow]note:[/yellow] {text}", markup=True)


def facts(columns: int, *, padding: tuple[int, int] = (0, 2)) -> Table:
    """A table without lines: on a narrow terminal a word is broken, for a name that is cut is none."""
    return Table.grid(*(Column(overflow="fold") for _ in range(columns)), padding=padding)
