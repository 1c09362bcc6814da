"""The parts of a report, whatever it is written as: sections of text, facts, tables and plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

Level = Literal["pass", "warn", "fail", ""]
Cell = object
"""Something to show: text, a `Badge` or a `Bar`."""


@dataclass(frozen=True)
class Badge:
    """A word in the colour of its meaning; plain text where there are no colours."""

    level: Level
    text: str

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        from markupsafe import escape

        return f'<span class="badge {self.level}">{escape(self.text)}</span>'


@dataclass(frozen=True)
class Bar:
    """A figure over a line as long as its `share`, 0 to 1, of the cell; the figure alone in plain text."""

    share: float
    text: str

    def __str__(self) -> str:
        return self.text

    def __html__(self) -> str:
        from markupsafe import escape

        share = 100 * min(max(self.share, 0.0), 1.0)
        return f'<span class="bar" style="background-size: {share:.1f}% 3px">{escape(self.text)}</span>'


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Heading:
    """A title within a section."""

    kind: ClassVar = "heading"
    text: str


@dataclass(frozen=True)
class Pairs:
    """Terms, and what each is."""

    kind: ClassVar = "pairs"
    rows: Sequence[tuple[str, Cell]]


@dataclass(frozen=True)
class Tiles:
    """Figures to be seen first: each a value, and what it is."""

    kind: ClassVar = "tiles"
    rows: Sequence[tuple[Cell, str]]


@dataclass(frozen=True)
class Table:
    """`columns` that begin with "#" hold numbers. `folded` is the word under which it is hidden at first."""

    kind: ClassVar = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    folded: str = ""


@dataclass(frozen=True)
class Plots:
    """Plots side by side: what `training.report.plots.charts` drew, and how to read it."""

    kind: ClassVar = "plots"
    rows: Sequence[tuple[str, str]]


Block = Text | Heading | Pairs | Tiles | Table | Plots


@dataclass(frozen=True)
class Section:
    """One part of a report. `level` colours it; only the verdict has one."""

    title: str
    blocks: Sequence[Block]
    level: Level = ""

    @property
    def anchor(self) -> str:
        """The name of the section in links within the page."""
        return "".join(c if c.isalnum() else "-" for c in self.title.lower()).strip("-")
