"""Frames that plots are drawn in, as inline SVG in the page's own colours and font.

The same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 3.8, 2.9
"""Inches; at 72 points an inch, text keeps its size on a phone and is not huge on a desk."""
LABEL_CHARACTERS = 26
DASHES = (0, (4, 3))

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


def labelled(axes: Axes, x: str, y: str, *, legend: bool) -> None:
    """Name the axes, and the lines below the frame."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if legend and axes.figure is not None:
        # Below the frame: within it, it would lie over the lines of some model.
        axes.figure.legend(loc="outside lower center", ncols=2, columnspacing=1.2, handlelength=1.4)


def dash(axes: Axes) -> None:
    """Draw y = x between 0 and 1."""
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHES)


def cycle(count: int) -> list[str]:
    """A colour for each of so many series."""
    return [SERIES[i % len(SERIES)] for i in range(count)]


def short(label: str, characters: int = LABEL_CHARACTERS) -> str:
    """A label that leaves room for the plot."""
    return label if len(label) <= characters else label[: characters - 1] + "…"


def drawn(title: str, draw: Callable[[Axes], None], *, height: float = HEIGHT) -> Markup:
    """One frame with its title, as a page takes it."""
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
    """Return an SVG file as a page needs it: no prologue, no style for the page, only ids that are used."""
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
    return _COLOR.sub(lambda match: f"var(--{_VARIABLES[match[0]]})", text)
