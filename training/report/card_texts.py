"""The limits of texts and members of a SageMaker model card."""

from __future__ import annotations

from typing import Any

NAME, SHORT, TEXT, LONG, OBSERVATION = 63, 255, 1024, 2048, 2096
"""SageMaker's limits on texts, in characters."""

Document = dict[str, Any]


def known(**members: Any) -> Document:
    """The members that have a value: a card has no word for those that have none."""
    return {name: value for name, value in members.items() if value is not None}


def cut(text: str, characters: int) -> str:
    """A text on one line, and no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
