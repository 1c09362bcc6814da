"""The tests that a change can reach are chosen: those, and of the others as few as can be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.changed_tests import Graph, main

FILES = {
    "contract/__init__.py": "",
    "contract/layout.py": "PREFIX = 'scored/'",
    "scoring/__init__.py": "",
    "scoring/rows.py": "def read():\n    from contract import layout\n    return layout.PREFIX",
    "scoring/style.css": "body {}",
    "scoring/page.py": "STYLE = 'style.css'",
    "local/server.py": "import ministack",
    "docs/formats.md": "# Formats",
    "tests/conftest.py": "pytest_plugins = ('tests.fixtures.aws',)",
    "tests/fixtures/aws.py": "import pytest\nfrom contract import layout\n@pytest.fixture\ndef aws(): ...",
    "tests/scoring/test_rows.py": "from scoring.rows import read",
    "tests/scoring/test_page.py": "from scoring import page",
    "tests/lambdas/test_handler.py": "def test_it(aws): ...",
    "tests/lambdas/test_logic.py": "def helper(aws): ...",
    "tests/cli/conftest.py": "import pytest\n@pytest.fixture\ndef aws(): ...",
    "tests/cli/test_status.py": "def test_it(aws): ...",
    "tests/local/test_cloud.py": "import subprocess",
    "tests/tabular/test_doc.py": "PAGE = 'docs/formats.md'",
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        pytest.param("scoring/page.py", ["scoring/test_page", "scoring/test_rows"], id="its room"),
        pytest.param(
            "scoring/style.css", ["scoring/test_page", "scoring/test_rows"], id="a file of its room"
        ),
        pytest.param("contract/layout.py", ["lambdas/test_handler", "scoring/test_rows"], id="imports"),
        pytest.param("tests/fixtures/aws.py", ["lambdas/test_handler"], id="the nearest fixture of a name"),
        pytest.param("tests/cli/conftest.py", ["cli/test_status"], id="what a conftest is above of"),
        pytest.param("tests/cli/test_status.py", ["cli/test_status"], id="itself"),
        pytest.param("docs/formats.md", ["tabular/test_doc"], id="a file that is named"),
        pytest.param("local/server.py", ["local/test_cloud"], id="a room that runs as another process"),
        pytest.param("LICENSE", [], id="nothing"),
    ],
)
def test_what_a_change_reaches(repository: Path, changed: str, reached: list[str]) -> None:
    assert Graph(repository, FILES).reached([changed]) == [f"tests/{name}.py" for name in reached]


def test_what_every_test_depends_on_reaches_every_test(repository: Path) -> None:
    graph = Graph(repository, FILES)
    assert graph.reached(["requirements-dev.txt"]) == graph.tests()
    assert len(graph.tests()) == 7


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


def test_commits_edits_and_new_files_since_the_branch_are_changes(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(repository, "init", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "before")
    git(repository, "switch", "-c", "work")
    (repository / "docs/formats.md").write_text("# More formats")
    git(repository, "commit", "-am", "committed")
    (repository / "tests/cli/test_status.py").write_text("def test_more(): ...")
    (repository / "tests/cli/test_new.py").write_text("")
    (repository / "tests/lambdas/test_logic.py").unlink()
    monkeypatch.chdir(repository)
    assert main([]) == 0
    said = capsys.readouterr()
    assert said.out.split() == [
        "tests/cli/test_new.py",
        "tests/cli/test_status.py",
        "tests/tabular/test_doc.py",
    ]
    assert said.err == "4 files changed: 3 of 7 test files\n"


def test_a_branch_that_is_not_there_is_an_error(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(repository, "init", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "before")
    monkeypatch.chdir(repository)
    assert main(["elsewhere"]) != 0
