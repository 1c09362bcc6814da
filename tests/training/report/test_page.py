"""The frame of every page: escaped, self-contained, and complete or an error."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from jinja2 import DictLoader, Environment, UndefinedError

from training.report import page
from training.report.plots import charts as plots


@pytest.fixture
def sample() -> Iterator[Environment]:
    """A template beside the page's own."""
    environment = page._environment()
    own = environment.loader
    assert own is not None
    sample = {
        name: own.get_source(environment, name)[0] for name in ("base.html", "parts.html", "style.css")
    } | {
        "sample.html": '{% extends "base.html" %}{% import "parts.html" as parts %}'
        "{% block title %}{{ title }}{% endblock %}"
        '{% block content %}{{ parts.table(["name", "#value"], rows) }}{{ parts.plots([(plot, title)]) }}'
        "{{ parts.facts([(title, 0.25|percent)]) }}{{ parts.tiles([(0.123456|number, title)]) }}{% endblock %}"
    }
    environment.loader = DictLoader(sample)
    yield environment
    environment.loader = own


@pytest.mark.usefixtures("sample")
def test_what_is_given_is_escaped_and_plots_are_not() -> None:
    plot = plots.bars("Plot", ["a"], [1], x="x")
    text = page.render("sample.html", title="<script>&", rows=[("<i>", 1)], plot=plot)
    assert "<script" not in text
    assert "<i>" not in text
    assert plot in text
    assert "&lt;script&gt;&amp;" in text
    assert "25.0%" in text
    assert "0.1235" in text


@pytest.mark.usefixtures("sample")
def test_a_page_needs_nothing_but_itself() -> None:
    text = page.render("sample.html", title="t", rows=[], plot="")
    assert not re.search(r"(src|href)=\"(?!#|data:)|@import|url\((?!#)|<script", text)


@pytest.mark.usefixtures("sample")
def test_a_value_that_was_forgotten_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="plot"):
        page.render("sample.html", title="t", rows=[])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0, "0"),
        (3.0, "3"),
        (0.87654321, "0.8765"),
        (0.9, "0.9000"),
        (12345.6, "12,346"),
        (32561, "32,561"),
        (0.02, "0.0200"),
        (0.00012345, "0.000123"),
        (1.5, "1.500"),
        (1.234567e-7, "1.23e-07"),
        (-0.5, "-0.5000"),
        (123456789.5, "1.23e+08"),
    ],
)
def test_numbers_have_four_digits(value: float | None, text: str) -> None:
    assert page.number(value) == text
