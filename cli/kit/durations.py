"""Spans of time as people type them: `90s`, `30m`, `6h`, `14d`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(\d+)([smhd])")


def since(span: str) -> datetime:
    """The moment that lies a span before now.

    Raises:
        typer.BadParameter: it is not a number and one of s, m, h, d.
    """
    match = _SPAN.fullmatch(span)
    if match is None:
        raise typer.BadParameter(
            f"{span!r} is not a span of time such as 30m, 6h or 2d", param_hint="--since"
        )
    return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
