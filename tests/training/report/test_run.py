"""The report of a run: complete for each kind of problem, honest about what does not apply, escaped."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from contract.schema import Problem
from tests.training.report.examples import CLASSES, FEATURES, evaluation, facts
from training.report.facts import Facts, Lineage
from training.report.run import write

pytestmark = pytest.mark.slow

PAGE, CARD, MARKDOWN = "report.html", "card.json", "card.md"

PROBLEMS: tuple[Problem, ...] = ("binary", "multiclass", "regression")
VOID = {"meta", "link", "br", "path", "use"}


class Outline(HTMLParser):
    """Checks that tags are balanced, and collects headings, texts and the number of plots."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        if "h2" in self.open:
            self.headings.append(data)
        self.texts.append(data)


def written(folder: Path, given: Facts) -> tuple[Outline, str]:
    """The page's outline, and the Markdown."""
    write(folder, given)
    outline = Outline()
    outline.feed((folder / PAGE).read_text())
    outline.close()
    assert not outline.open
    return outline, (folder / MARKDOWN).read_text()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_part_of_a_run_is_in_page_and_markdown(tmp_path: Path, problem: Problem) -> None:
    page, markdown = written(tmp_path, facts(problem))
    sections = ["Verdict", "Data", "Features", "Tuning", "Metrics", "Live model", "Curves"]
    sections += ["Threshold"] if problem == "binary" else []
    sections += ["Slices", "Fairness", "Importance", "Robustness", "Serving", "Lineage"]
    assert page.headings == sections
    assert re.findall(r"^## (.*)$", markdown, re.MULTILINE) == sections
    assert page.tags.count("svg") == {"binary": 8, "multiclass": 7, "regression": 5}[problem]
    text = " ".join(page.texts)
    for expected in (
        "It misses 1 of 2 gates",
        "abcdef",
        "c" * 64,
        "scikit-learn 1.9.1",
        "millrace-local-income/3",
        "24 rows (0.1%) say the same as another.",
        "s3://artifacts/runs/fedcba9876543210/validate/report/report.html",
    ):
        assert expected in text
    for name in (*evaluation(problem)["metrics"], *(feature.name for feature in FEATURES)):
        assert name in text
    assert (tmp_path / CARD).exists()


def test_the_same_facts_give_the_same_bytes(tmp_path: Path) -> None:
    pages = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, facts())
        pages.append([(tmp_path / name / file).read_bytes() for file in (PAGE, CARD, MARKDOWN)])
    assert pages[0] == pages[1]


def test_names_from_data_are_text_and_never_markup(tmp_path: Path) -> None:
    page, markdown = written(tmp_path, facts("multiclass"))
    assert not {"b", "i", "script"} & (set(page.tags) - {"b"})
    assert "<i>other</i>" in page.texts
    assert any(CLASSES["multiclass"][0] in text for text in page.texts)
    assert "<i>" not in markdown


def test_what_does_not_apply_says_so(tmp_path: Path) -> None:
    given = facts(champion=None, fairness={}, gates=[], passed=True, missed="")
    given = dataclasses.replace(given, validation=None, trials=(), lineage=Lineage())
    page, _ = written(tmp_path, given)
    text = " ".join(page.texts)
    for sentence in (
        "names no gates",
        "none to compare with",
        "names no sensitive features",
        "was not handed over",
        "Trained once",
        "run by hand",
    ):
        assert sentence in text, sentence


def test_which_rows_were_held_out_is_said(tmp_path: Path) -> None:
    champion = evaluation("binary")["champion"]
    assert champion is not None
    given = facts(champion={**champion, "may_know_rows": True})
    page, _ = written(tmp_path, given)
    text = " ".join(page.texts)
    assert "drawn by a digest of their features" in text
    assert "it may have been trained on some of these" in text
    held_out = {"rule": "newest", "starts": "2024-06-01 10:00", "repeated": 3, "undated": 1200}
    given = dataclasses.replace(given, model={**given.model, "holdout": held_out}, validation=None)
    text = " ".join(written(tmp_path, given)[0].texts)
    assert "the newest, from 2024-06-01 10:00 (UTC) on" in text
    assert "as new but with the features of older rows: 3." in text
    assert "Without a time, and trained on: 1,200." in text


def test_a_live_model_that_cannot_be_compared_says_why(tmp_path: Path) -> None:
    champion = {
        "model_version": "g/1",
        "not_comparable": "its contract has other features.",
        "may_know_rows": False,
        "metrics": {},
    }
    page, _ = written(tmp_path, facts(champion=champion))
    assert any("g/1 could not be compared: its contract has other features." in text for text in page.texts)


def test_every_row_of_a_table_has_as_many_cells_as_the_table_has_columns(tmp_path: Path) -> None:
    _, markdown = written(tmp_path, facts())
    for table in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table


def test_importances_that_are_not_defined_are_told_as_such(tmp_path: Path) -> None:
    given = evaluation("binary")
    features = [
        {**one, "permutation_mean": None, "permutation_std": None} for one in given["importance"]["features"]
    ]
    outline, markdown = written(
        tmp_path, facts("binary", importance={**given["importance"], "features": features})
    )
    assert "Permutation importance" not in outline.texts
    assert f"| {FEATURES[0].name} | – | – |" in markdown
    assert "permutation importance" not in (tmp_path / CARD).read_text()


def test_values_are_missing_of_the_rows_that_were_used(tmp_path: Path) -> None:
    given = facts()
    assert given.validation is not None
    found = {**given.validation, "rows": 2000, "sound_rows": 1000, "missing": {FEATURES[0].name: 250}}
    _, markdown = written(tmp_path, dataclasses.replace(given, validation=found))
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {FEATURES[0].name} "))
    assert line.endswith(" 25.0% |")
