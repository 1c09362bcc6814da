"""Arguments of which only a deployment knows what they may be."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TypeVar

import typer

T = TypeVar("T")


def chosen(names: Sequence[str] | None, known: Mapping[str, T], argument: str) -> dict[str, T]:
    """Those that were named, or all.

    Raises:
        typer.BadParameter: there is none of a name.
    """
    for name in names or ():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise typer.BadParameter(
                f"there is no {name!r}{hint}; there are: {', '.join(known)}", param_hint=argument
            )
    return {name: known[name] for name in names or known}
