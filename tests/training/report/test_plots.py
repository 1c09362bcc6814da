"""Plots: the same bytes each time, labels as they were given, nothing that leaks into the page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from container.paths import CODE
from training.report.plots import charts as plots
from training.report.plots.charts import Series

CURVES = [
    Series(label="challenger", x=[0, 0.125, 1], y=[0, 0.8, 1]),
    Series(label="champion", x=[0, 1], y=[0, 1]),
]
PLOTS: dict[str, Callable[[], str]] = {
    "lines": lambda: plots.lines("ROC", CURVES, x="fpr", y="tpr", diagonal=True),
    "points": lambda: plots.points("Residuals", CURVES, x="prediction", y="residual", level=0),
    "bars": lambda: plots.bars(
        "Importance", ["age", "sex"], [0.3, 0.1], x="loss", lows=[0.2, 0], highs=[0.4, 0.2]
    ),
    "histogram": lambda: plots.histogram("Scores", [0, 0.5, 1], [("all", [3, 2])], x="score", y="rows"),
    "matrix": lambda: plots.matrix("Confusion", ["a", "b"], [[9, 1], [0, 0]], x="predicted", y="true"),
}


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_a_plot_is_one_well_formed_element_and_the_same_each_time(draw: Callable[[], str]) -> None:
    svg = draw()
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
    assert draw() == svg


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_colours_are_the_pages_own(draw: Callable[[], str]) -> None:
    svg = draw()
    assert "var(--accent)" in svg
    assert not re.search(r"#[0-9a-fA-F]{6}\b(?!\))", svg)
    assert "<style" not in svg
    assert "font-family" not in svg


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_every_reference_is_answered_in_the_plot(draw: Callable[[], str]) -> None:
    svg = draw()
    ids = re.findall(r'id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(ids) == set(re.findall(r"#([a-z0-9]+)", svg))


def test_labels_are_escaped_and_otherwise_as_they_were_given() -> None:
    label = "<b>$x$ & 0.12345 #000001"
    svg = plots.bars(label, [label, "a" * 40], [0.125, 0.25], x=label)
    texts = [node.text for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count(label) == 3
    assert "a" * 25 + "…" in texts
    assert "0.125" not in re.sub(r"<text[^>]*>[^<]*</text>|aria-label=\"[^\"]*\"", "", svg)


def test_the_image_is_built_with_the_list_of_fonts(tmp_path: Path) -> None:
    """Which takes a second to make, and would be made by each job in its container."""
    dockerfile = (CODE / "container" / "Dockerfile").read_text()
    folder = re.findall(r"^ENV (\w+)=/opt/millrace/\S+$", dockerfile, re.M)
    command = re.findall(r'^RUN python -c "(.+)"$', dockerfile, re.M)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), folder[0]: str(tmp_path / "built")}
    subprocess.run([sys.executable, "-c", command[0]], env=environ, check=True)
    assert list((tmp_path / "built").glob("fontlist-*.json"))
    assert not (tmp_path / "home").exists()
