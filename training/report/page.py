"""Self-contained HTML pages: one file, no network, no script, readable on a phone, light or dark."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).resolve().parent / "templates"
ABSENT = "–"
_LARGE, _SMALL = 1e6, 1e-3


def render(template: str, /, **values: object) -> str:
    """A page from a file of `templates/`, which extends `base.html` and may import `parts.html`.

    Every value is escaped but the plots of `training.report.plots.charts`. A name that the template
    uses and nobody gave is an error.

    Raises:
        jinja2.TemplateError: there is no such template, or it asks for a value it was not given.
    """
    return _environment().get_template(template).render(**values)


def number(value: float | None) -> str:
    """Four digits, as people read them; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ABSENT
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}" if abs(value) < 1e15 else f"{value:.4g}"
    if not _SMALL <= abs(value) < _LARGE:
        return f"{value:.3g}"
    return f"{value:,.{max(0, min(4, 3 - math.floor(math.log10(abs(value)))))}f}"


def percent(share: float | None) -> str:
    """A share of one in per cent, with one decimal."""
    return ABSENT if share is None or math.isnan(share) else f"{100 * share:.1f}%"


@cache
def _environment() -> Environment:
    # Imported when a page is rendered: the model server, which never does, starts without it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "percent": percent}
    return environment
