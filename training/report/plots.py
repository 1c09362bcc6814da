"""Plots as inline SVG in the page's own colours and font. The same numbers give the same bytes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

Numbers = Sequence[float]

WIDTH, HEIGHT = 3.8, 2.9
"""Inches; at 72 points an inch, text keeps its size on a phone and is not huge on a desk."""
LABEL_CHARACTERS = 26
DASHES = (0, (4, 3))
FEW = 50
"""Points up to which each may be large."""
MATRIX_NUMBERS = 12
"""Classes up to which the cells of a matrix have room for their numbers."""

# Matplotlib wants colours, and the page has them: each of these stands for a variable of style.css.
INK, MUTED, LINE = "#000001", "#000002", "#000003"
SERIES = ("#000011", "#000012", "#000013", "#000014", "#000015", "#000016")
_VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    LINE: "line",
    **dict(zip(SERIES, ("accent", "second", "third", "fourth", "fifth", "sixth"), strict=True)),
}
_COLOR = re.compile("|".join(_VARIABLES))
_TAG = re.compile(r"<[^>]+>")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.8,
    "path.simplify": False,
}
_NOTHING = {"Date": None, "Creator": None, "Format": None, "Type": None}


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
            _dash(axes)
        if mark is not None:
            axes.axvline(mark, color=MUTED, linewidth=1, linestyle=DASHES)
        for one, color in zip(series, _cycle(len(series)), strict=True):
            axes.plot(one.x, one.y, color=color, label=one.label)
        _labelled(axes, x, y, legend=len(series) > 1 if legend is None else legend)

    return _draw(title, draw)


def calibration(title: str, predicted: Numbers, observed: Numbers, lows: Numbers, highs: Numbers) -> Markup:
    """What came true of what was predicted, with an interval at each point, and y = x to compare with."""

    def draw(axes: Axes) -> None:
        _dash(axes)
        axes.vlines(list(predicted), list(lows), list(highs), colors=SERIES[0], linewidth=1, alpha=0.7)
        axes.plot(predicted, observed, color=SERIES[0], marker="o", markersize=3.5)
        _labelled(axes, "mean predicted probability", "share that came true", legend=False)

    return _draw(title, draw)


def points(title: str, groups: Sequence[Series], *, x: str, y: str, level: float | None = None) -> Markup:
    """Points in one frame, each group in its colour; `level` draws a horizontal line."""

    def draw(axes: Axes) -> None:
        if level is not None:
            axes.axhline(level, color=MUTED, linewidth=1, linestyle=DASHES)
        for group, color in zip(groups, _cycle(len(groups)), strict=True):
            few = len(group.x) <= FEW
            size, alpha = (5, 1.0) if few else (3, 0.5)
            axes.plot(group.x, group.y, "o", color=color, label=group.label, ms=size, alpha=alpha, mew=0)
        _labelled(axes, x, y, legend=len(groups) > 1)

    return _draw(title, draw)


def trials(title: str, values: Numbers, best: Numbers, *, y: str) -> Markup:
    """A point for each trial in the order they ran, and the best until then as a line."""
    from matplotlib.ticker import MaxNLocator

    def draw(axes: Axes) -> None:
        numbers = range(1, len(values) + 1)
        axes.plot(numbers, best, color=SERIES[1], drawstyle="steps-post", label="best so far")
        axes.plot(numbers, values, "o", color=SERIES[0], label="trial", ms=5, mew=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _labelled(axes, "trial", y, legend=True)

    return _draw(title, draw)


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
        axes.set_yticks(places, [_short(label) for label in labels])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_xlabel(x)

    return _draw(title, draw, height=max(1.1, 0.55 + 0.24 * len(values)))


def histogram(title: str, edges: Numbers, series: Sequence[tuple[str, Numbers]], *, x: str, y: str) -> Markup:
    """Counts or shares [n] between edges [n + 1], a filled outline for each series."""

    def draw(axes: Axes) -> None:
        for (label, heights), color in zip(series, _cycle(len(series)), strict=True):
            axes.stairs(list(heights), list(edges), color=color, fill=True, alpha=0.28)
            axes.stairs(list(heights), list(edges), color=color, linewidth=1.4, label=label)
        _labelled(axes, x, y, legend=len(series) > 1)

    return _draw(title, draw)


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
        names = [_short(label, 12) for label in labels]
        axes.set_xticks(range(size), names, rotation=0 if size <= 4 else 60)
        axes.set_yticks(range(size), names)
        axes.set_ylim(size - 0.5, -0.5)
        axes.set_xlim(-0.5, size - 0.5)
        axes.grid(visible=False)
        axes.tick_params(length=0, labelcolor=INK)
        axes.spines[:].set_visible(False)
        _labelled(axes, x, y, legend=False)

    return _draw(title, draw, height=max(HEIGHT, 0.28 * len(labels)))


def _labelled(axes: Axes, x: str, y: str, *, legend: bool) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if legend and axes.figure is not None:
        # Below the frame: within it, it would lie over the lines of some model.
        axes.figure.legend(loc="outside lower center", ncols=2, columnspacing=1.2, handlelength=1.4)


def _dash(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHES)


def _cycle(count: int) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(count)]


def _short(label: str, characters: int = LABEL_CHARACTERS) -> str:
    return label if len(label) <= characters else label[: characters - 1] + "…"


def _draw(title: str, draw: Callable[[Axes], None], *, height: float = HEIGHT) -> Markup:
    # Imported when there is something to draw: it takes longer than most jobs.
    from markupsafe import Markup
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context({**_STYLE, "svg.hashsalt": title}):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        draw(axes)
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=INK)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata=_NOTHING)
    return Markup(_inline(text.getvalue(), title))  # noqa: S704 - made here; the labels in it are escaped


def _inline(svg: str, title: str) -> str:
    """What a page needs of an SVG file: no prologue, no style for the whole page, no ids but those used."""
    from markupsafe import escape

    body = svg[svg.index("<svg") :]
    body = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r' width="[^"]*" height="[^"]*"', "", body, count=1)
    body = _TAG.sub(lambda tag: _tag(tag[0]), body)
    return body.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def _tag(text: str) -> str:
    """A tag alone, never the labels between tags: the same colours and digits may stand there."""
    text = re.sub(r'^<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r"(\.\d\d)\d+", r"\1", " ".join(text.split()))
    return _COLOR.sub(lambda found: f"var(--{_VARIABLES[found[0]]})", text)
