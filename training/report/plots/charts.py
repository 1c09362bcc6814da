"""Plots: each takes numbers and names, and gives inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from training.report.plots.frames import (
    DASHES,
    HEIGHT,
    INK,
    MUTED,
    SERIES,
    cycle,
    dash,
    drawn,
    labelled,
    short,
)

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

Numbers = Sequence[float]

FEW = 50
"""Points up to which each may be large."""
MATRIX_NUMBERS = 12
"""Classes up to which the cells of a matrix have room for their numbers."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of one line, and its name in the legend."""

    label: str
    x: Numbers
    y: Numbers


def lines(
    title: str,
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    diagonal: bool = False,
    legend: bool | None = None,
    mark: float | None = None,
) -> Markup:
    """Lines in one frame. `diagonal` draws y = x between 0 and 1, `mark` a vertical line at an x.

    There is a legend where there are several lines, or as `legend` says.
    """

    def draw(axes: Axes) -> None:
        if diagonal:
            dash(axes)
        if mark is not None:
            axes.axvline(mark, color=MUTED, linewidth=1, linestyle=DASHES)
        for one, color in zip(series, cycle(len(series)), strict=True):
            axes.plot(one.x, one.y, color=color, label=one.label)
        labelled(axes, x, y, legend=len(series) > 1 if legend is None else legend)

    return drawn(title, draw)


def calibration(title: str, predicted: Numbers, observed: Numbers, lows: Numbers, highs: Numbers) -> Markup:
    """Draw observed rates over predicted ones, with an interval at each point, and y = x to compare with."""

    def draw(axes: Axes) -> None:
        dash(axes)
        axes.vlines(list(predicted), list(lows), list(highs), colors=SERIES[0], linewidth=1, alpha=0.7)
        axes.plot(predicted, observed, color=SERIES[0], marker="o", markersize=3.5)
        labelled(axes, "mean predicted probability", "share that came true", legend=False)

    return drawn(title, draw)


def points(title: str, groups: Sequence[Series], *, x: str, y: str, level: float | None = None) -> Markup:
    """Points in one frame, each group in its colour; `level` draws a horizontal line."""

    def draw(axes: Axes) -> None:
        if level is not None:
            axes.axhline(level, color=MUTED, linewidth=1, linestyle=DASHES)
        for group, color in zip(groups, cycle(len(groups)), strict=True):
            few = len(group.x) <= FEW
            size, alpha = (5, 1.0) if few else (3, 0.5)
            axes.plot(group.x, group.y, "o", color=color, label=group.label, ms=size, alpha=alpha, mew=0)
        labelled(axes, x, y, legend=len(groups) > 1)

    return drawn(title, draw)


def trials(title: str, values: Numbers, best: Numbers, *, y: str) -> Markup:
    """A point for each trial in the order they ran, and the best until then as a line."""
    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes) -> None:
        numbers = range(1, len(values) + 1)
        axes.plot(numbers, best, color=SERIES[1], drawstyle="steps-post", label="best so far")
        axes.plot(numbers, values, "o", color=SERIES[0], label="trial", ms=5, mew=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        labelled(axes, "trial", y, legend=True)

    return drawn(title, draw)


def bars(
    title: str,
    labels: Sequence[str],
    values: Numbers,
    *,
    x: str,
    lows: Numbers | None = None,
    highs: Numbers | None = None,
) -> Markup:
    """Horizontal bars, the first on top; `lows` and `highs` draw an interval over each."""

    def draw(axes: Axes) -> None:
        places = range(len(values))
        axes.barh(places, list(values), color=SERIES[0], height=0.62)
        if lows is not None and highs is not None:
            axes.hlines(places, list(lows), list(highs), colors=INK, linewidth=1.1)
        axes.set_yticks(places, [short(label) for label in labels])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_xlabel(x)

    return drawn(title, draw, height=max(1.1, 0.55 + 0.24 * len(values)))


def histogram(title: str, edges: Numbers, series: Sequence[tuple[str, Numbers]], *, x: str, y: str) -> Markup:
    """Counts or shares [n] between edges [n + 1], a filled outline for each series."""

    def draw(axes: Axes) -> None:
        for (label, heights), color in zip(series, cycle(len(series)), strict=True):
            axes.stairs(list(heights), list(edges), color=color, fill=True, alpha=0.28)
            axes.stairs(list(heights), list(edges), color=color, linewidth=1.4, label=label)
        labelled(axes, x, y, legend=len(series) > 1)

    return drawn(title, draw)


def matrix(title: str, labels: Sequence[str], counts: Sequence[Numbers], *, x: str, y: str) -> Markup:
    """Counts [rows, columns] as a square of cells, each shaded by its share of its row."""

    def draw(axes: Axes) -> None:
        size = len(labels)
        for row, numbers in enumerate(counts):
            total = sum(numbers) or 1
            for column, count in enumerate(numbers):
                shade = 0.06 + 0.64 * count / total
                axes.fill_between(
                    [column - 0.48, column + 0.48], row - 0.48, row + 0.48, color=SERIES[0], alpha=shade, lw=0
                )
                if size <= MATRIX_NUMBERS:
                    axes.text(column, row, f"{count:,.0f}", ha="center", va="center", fontsize=8.5)
        names = [short(label, 12) for label in labels]
        axes.set_xticks(range(size), names, rotation=0 if size <= 4 else 60)
        axes.set_yticks(range(size), names)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xlim(-0.5, size - 0.5)
        axes.grid(visible=False)
        axes.tick_params(length=0, labelcolor=INK)
        axes.spines[:].set_visible(False)
        labelled(axes, x, y, legend=False)

    return drawn(title, draw, height=max(HEIGHT, 0.28 * len(labels)))
