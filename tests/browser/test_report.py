"""The report of a real run in a real browser: nothing is cut, nothing is asked for, nothing is complained of."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contract.gates import METRICS
from tests.fixtures import tables
from tests.fixtures.folders import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LOOK = Path(__file__).with_name("look.mjs")
SPOILED = "spoiled"
PROBLEMS = {"binary": tables.tumor, "multiclass": tables.wine, "regression": tables.diabetes}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the browser says of each kind of problem's report, at each width and colour scheme."""
    folder = tmp_path_factory.mktemp("reports")
    pages = [*(_report(folder, problem) for problem in PROBLEMS), _spoiled(folder)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["node", str(LOOK), str(folder), *map(str, pages)],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"the browser does not run: `make setup` installs it.\n{done.stderr}"
    looked: list[dict[str, Any]] = json.loads(done.stdout)
    return looked


def test_each_problem_is_looked_at_on_a_desk_and_on_a_phone(found: list[dict[str, Any]]) -> None:
    assert {(Path(view["page"]).stem, view["width"]) for view in found} == {
        (page, width) for page in (*PROBLEMS, SPOILED) for width in (1280, 390)
    }
    for view in found:
        if Path(view["page"]).stem == SPOILED:
            assert view["headings"] == ["Verdict", "Checks", "Rows", "Features", "Lineage"], view
        else:
            assert {"Verdict", "Metrics", "Importance", "Lineage"} <= set(view["headings"]), view
            assert len(view["plots"]) >= 3, view


PLOTS = {
    "binary": {"ROC", "Precision and recall", "Calibration", "Confusion", "Thresholds"},
    "multiclass": {"ROC", "Precision and recall", "Calibration", "Confusion"},
    "regression": {"Residuals", "Spread of the residuals"},
}


def test_each_problem_has_the_plots_and_metrics_of_its_kind(found: list[dict[str, Any]]) -> None:
    for view in found:
        problem = Path(view["page"]).stem
        if problem == SPOILED:
            continue
        page = Path(view["page"]).read_text(encoding="utf-8")
        drawn = set(re.findall(r'role="img" aria-label="([^"]*)"', page))
        assert drawn >= {*PLOTS[problem], "Permutation importance", "SHAP values"}, problem
        assert not drawn & {*itertools.chain(*PLOTS.values())} - PLOTS[problem], problem
        for metric in METRICS[problem]:
            assert f">{metric}<" in page, metric


def test_the_page_is_whole_and_needs_nobody(found: list[dict[str, Any]]) -> None:
    for view in found:
        assert view["scroll"] <= view["width"], view
        assert [view[kind] for kind in ("cut", "outside", "console", "requests")] == [[], [], [], []], view


def _spoiled(folder: Path) -> Path:
    """The validation's report of data with long names and values, which stops the run and is warned of."""
    table = tables.mixed()
    rows = [*table.rows, *table.rows[:300], ("9" * 80 + "€", *table.rows[0][1:])]
    job = Run(folder / SPOILED, table).validate({f"{'a_long_name_' * 8}.csv": table.csv(rows)})
    assert job.run("validate") == 1
    page = folder / f"{SPOILED}.html"
    page.write_bytes((job.output("report") / "report.html").read_bytes())
    return page


def _report(folder: Path, problem: str) -> Path:
    run = Run(folder / problem, PROBLEMS[problem]())
    evaluated = run.evaluate(*run.trained())
    assert evaluated.run("evaluate") == 0
    page = folder / f"{problem}.html"
    page.write_bytes((evaluated.output("evaluation") / "report.html").read_bytes())
    return page
