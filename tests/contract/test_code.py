from __future__ import annotations

from pathlib import Path

import pytest

from contract.code import code_digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "contract/a.py",
        "training/b.py",
        "container/requirements.txt",
        "models/m/model.toml",
        "models/n/model.toml",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", ["contract/a.py", "container/requirements.txt", "models/m/new.py"])
def test_what_the_image_holds_decides(tree: Path, name: str) -> None:
    before = code_digest(tree, "m")
    (tree / name).write_text("other")
    assert code_digest(tree, "m") != before


@pytest.mark.parametrize(
    "name", ["models/m/model.toml", "models/n/model.toml", "contract/a.pyc", "README.md", "models/m/notes.md"]
)
def test_nothing_else_does(tree: Path, name: str) -> None:
    before = code_digest(tree, "m")
    (tree / name).write_text("other")
    assert code_digest(tree, "m") == before


def test_a_file_that_moves_is_another_digest(tree: Path) -> None:
    before = code_digest(tree, "m")
    (tree / "contract/a.py").rename(tree / "contract/c.py")
    assert code_digest(tree, "m") != before
