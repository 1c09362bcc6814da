"""Each behaviour of AWS that the product relies on has its page and a test that exists; the docs show them all."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.local import behaviours

DOCUMENT = behaviours.read()
PAGE = re.compile(r"[A-Za-z0-9_./-]+/[A-Za-z0-9_.-]+\.html")


@cache
def names_in(path: Path) -> set[str]:
    """The names of a file's tests, those of a class behind its name."""
    tree = ast.parse(path.read_text())
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            inner = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
            found |= {f"{node.name}::{name}" for name in inner}
    return {name for name in found if name.rpartition("::")[2].startswith("test_")}


@pytest.mark.parametrize("entry", DOCUMENT["behaviour"], ids=lambda entry: entry["says"])
def test_a_behaviour_has_a_page_and_a_test_that_exists(root: Path, entry: dict[str, str]) -> None:
    assert entry.keys() == {"service", "says", "page", "test"}
    assert PAGE.fullmatch(entry["page"])
    file, _, name = entry["test"].partition("::")
    assert name in names_in(root / "tests" / file)


def test_there_are_enough_and_none_twice() -> None:
    says = [entry["says"] for entry in DOCUMENT["behaviour"]]
    assert len(says) == len(set(says)) >= 60


@pytest.mark.parametrize("entry", DOCUMENT["unknown"], ids=lambda entry: entry["question"])
def test_what_cannot_be_known_says_why_what_was_taken_and_how_to_find_out(entry: dict[str, str]) -> None:
    assert entry.keys() == {"question", "why", "taken", "find_out"}
    assert all(len(text) > 15 for text in entry.values())


def test_the_page_shows_what_is_written_down() -> None:
    text = behaviours.PAGE.read_text()
    assert behaviours.page(text, behaviours.tables(DOCUMENT)) == text, (
        "run .venv/bin/python -m tests.local.behaviours"
    )
