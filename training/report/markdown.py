"""The report as Markdown: the same sections, without the plots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from training.report.blocks import Block, Cell, Heading, Pairs, Plots, Section, Table, Text, Tiles

_SPECIAL = re.compile(r"([\\`*_<>\[\]|#])")


def to_markdown(title: str, subtitle: str, sections: Iterable[Section]) -> str:
    """A GitHub-flavoured document; everything in it that came from data is escaped."""
    parts = [f"# {escaped(title)}", escaped(subtitle)]
    for section in sections:
        parts.append(f"## {escaped(section.title)}")
        for block in section.blocks:
            parts += _block(block)
    return "\n\n".join(parts) + "\n"


def escaped(cell: Cell) -> str:
    """A cell's text on one line, with nothing in it that Markdown or HTML would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(cell).split()))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield escaped(block.text)
        case Heading():
            yield f"### {escaped(block.text)}"
        case Pairs():
            yield "\n".join(f"- {escaped(term)}: {escaped(value)}" for term, value in block.rows)
        case Tiles():
            yield "\n".join(f"- {escaped(what)}: {escaped(value)}" for value, what in block.rows)
        case Table():
            yield "\n".join(_table(block.columns, block.rows))
        case Plots():
            pass  # a text has none; they are in report.html


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    yield _row([column.removeprefix("#") for column in columns])
    yield "| " + " | ".join("---:" if column.startswith("#") else "---" for column in columns) + " |"
    yield from (_row(row) for row in rows)


def _row(cells: Sequence[Cell]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"
