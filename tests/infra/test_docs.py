"""What the documents point to is there: links with their headings, paths, modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)")
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)*/?")
MODULE = re.compile(r"[a-z]\w*(?:\.\w+)+")
NOT_OURS = ("models/", "monitoring/inbox/")
"""Examples of models, and keys in a bucket that begin like a room."""


def documents(root: Path) -> list[Path]:
    found = sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), root / "models" / "README.md"])
    assert len(found) > 40
    return found


def headings(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    lines = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL).splitlines()
    titles = (line.lstrip("#").strip() for line in lines if re.match(r"#+ ", line))
    return {re.sub(r"[^\w -]", "", unescape(title).lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path) -> Iterator[str]:
    """The relative links of a document that lead to no file, or to none of its headings."""
    for path, anchor in LINK.findall(document.read_text()):
        target = document.parent / path if path else document
        if not target.exists():
            yield path
        elif anchor and target.suffix == ".md" and anchor not in headings(target):
            yield f"{path}#{anchor}"


def absent_paths(document: Path, root: Path) -> Iterator[str]:
    """The paths and modules of this repository that a document names in code, and that are not there."""
    tops = {path.name for path in root.iterdir() if path.is_dir()}
    for code in CODE.findall(document.read_text()):
        if code.startswith((".", *NOT_OURS)):
            continue
        if PATH.fullmatch(code) and "/" in code and code.partition("/")[0] in tops:
            if not any(root.glob(code.rstrip("/"))):
                yield code
        elif MODULE.fullmatch(code) and code.partition(".")[0] in tops and not _is_module(code, root):
            yield code


def _is_module(name: str, root: Path) -> bool:
    """True if a dotted name is a module, a package, or may be something in one."""
    place = root.joinpath(*name.split("."))
    return any(each.with_suffix(".py").is_file() or each.is_dir() for each in (place, place.parent))


def test_every_link_leads_somewhere(root: Path) -> None:
    broken = {
        document.relative_to(root).as_posix(): [*broken_links(document)] for document in documents(root)
    }
    assert {name: links for name, links in broken.items() if links} == {}


def test_every_path_that_is_named_is_there(root: Path) -> None:
    absent = {
        document.relative_to(root).as_posix(): [*absent_paths(document, root)] for document in documents(root)
    }
    assert {name: paths for name, paths in absent.items() if paths} == {}


def test_a_walk_is_of_twelve_files_at_most(root: Path) -> None:
    text = (root / "docs" / "architecture.md").read_text()
    walks = re.split(r"^### ", text.partition("## Three walks")[2].partition("\n## ")[0], flags=re.MULTILINE)[
        1:
    ]
    files = {walk.partition("\n")[0]: re.findall(r"^\d+\. `([^`]+)`", walk, re.MULTILINE) for walk in walks}
    assert files.keys() == {"One upload", "One training row", "One alarm"}
    for walk, named in files.items():
        assert 8 <= len(named) == len(set(named)) <= 12, walk
        assert all((root / name).is_file() for name in named), walk


@pytest.mark.parametrize(
    ("text", "links", "paths"),
    [
        ("[here](a.md#a-heading), [there](https://example.com/x)", [], []),
        ("[gone](b.md), [no heading](a.md#other)", ["b.md", "a.md#other"], []),
        ("`room/a.py`, `room/*/b.py`, `room.a.function`, `room.gone`, `models/<name>/`", [], []),
        ("`room/gone.py` and `room.inner.gone.name`", [], ["room/gone.py", "room.inner.gone.name"]),
    ],
)
def test_what_is_broken_is_seen(tmp_path: Path, text: str, links: list[str], paths: list[str]) -> None:
    (tmp_path / "room" / "inner").mkdir(parents=True)
    for name in ("room/a.py", "room/inner/b.py"):
        (tmp_path / name).touch()
    (tmp_path / "a.md").write_text("# A heading\n")
    document = tmp_path / "document.md"
    document.write_text(text)
    assert list(broken_links(document)) == links
    assert list(absent_paths(document, tmp_path)) == paths
