"""What people see: results on standard output, everything about getting there on standard error."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False, soft_wrap=False)
"""Results."""
err = Console(stderr=True, highlight=False)
"""Progress, warnings and errors."""


def warn(text: str) -> None:
    """Say something that does not stop the command and should not be missed."""
    err.print(f"[yellow]note:[/yellow] {text}", markup=True)
