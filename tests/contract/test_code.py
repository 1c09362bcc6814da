"""The code digest: a change of which files is another model, and of which is none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from contract.code import DOCKERFILE, PAGES, code_digest, covered
from contract.layout import run_id

STARTS_A_RUN = {
    "container/entry_point.py": True,
    "container/requirements.txt": True,
    "contract/schema.py": True,
    "metrics/formulas.py": True,
    "models/tumor/words.json": True,
    "monitoring/baseline/build.py": True,
    "scoring/server/predictor.py": True,
    "tabular/parquet_decoder.py": True,
    "training/__main__.py": True,
    "training/data/holdout.py": True,
    "training/evaluation/serving_cost.py": True,
    "training/features/derived.py": True,
    "training/jobs/train.py": True,
    "training/model/fit.py": True,
    "training/validation/profile.py": True,
    "adapters/buckets.py": False,
    "benchmarks/suites/serving.py": False,
    "cli/main.py": False,
    "contract/names/outputs.py": False,
    "docs/architecture.md": False,
    "infra/app.py": False,
    "lambdas/score_upload/logic.py": False,
    "local/cloud/server.py": False,
    "models/tumor/model.toml": False,
    "models/tumor/notes.md": False,
    "models/wine/estimator.py": False,
    "monitoring/detector.py": False,
    "scoring/batch/split.py": False,
    "scoring/server/serve.py": False,
    "scoring/upload/score.py": False,
    "tests/conftest.py": False,
    "training/report/page.py": False,
    "training/report/templates/style.css": False,
    "training/validation/report_page.py": False,
}
"""By a file of each room, whether an upload that changes nothing else trains anew once it has changed."""
ROOMS_THAT_DECIDE_NOTHING = {"governance", "ingestion", "releasing", "tools"}


@pytest.fixture(scope="module")
def tree(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository's source, to be changed."""
    copy = tmp_path_factory.mktemp("code")
    for room in {Path(name).parts[0] for name in STARTS_A_RUN} - {"docs", "tests"}:
        source = (path for path in (root / room).rglob("*") if path.is_file() and path.suffix != ".pyc")
        for path in source:
            target = copy / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return copy


@pytest.mark.parametrize("name", STARTS_A_RUN)
def test_which_change_starts_a_run(tree: Path, name: str) -> None:
    file, before = tree / name, run_id("dataset", code_digest(tree, "tumor"))
    content = file.read_bytes() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((content or b"") + b"\n# A comment.\n")
    try:
        assert (run_id("dataset", code_digest(tree, "tumor")) != before) is STARTS_A_RUN[name]
    finally:
        file.unlink() if content is None else file.write_bytes(content)


def test_a_file_of_each_room_is_tried(root: Path) -> None:
    tried = {Path(name).parts[0] for name in STARTS_A_RUN}
    rooms = {path.parent.name for path in root.glob("*/__init__.py")}
    assert rooms - tried <= ROOMS_THAT_DECIDE_NOTHING
    packages = {
        path.parent.relative_to(root).as_posix() for path in (root / "training").glob("*/__init__.py")
    }
    assert (
        packages == {Path(name).parent.as_posix() for name in STARTS_A_RUN if name.count("/") == 2} & packages
    )


def test_the_base_image_decides_and_how_files_come_to_it_does_not(tree: Path) -> None:
    file, before = tree / DOCKERFILE, code_digest(tree, "tumor")
    text = file.read_text()
    try:
        file.write_text(text + "# A comment.\nCOPY more more\n")
        assert code_digest(tree, "tumor") == before
        file.write_text(text.replace("FROM python", "FROM cpython"))
        assert code_digest(tree, "tumor") != before
    finally:
        file.write_text(text)


def test_a_file_that_moves_is_another_digest(tree: Path) -> None:
    before, words = code_digest(tree, "tumor"), tree / "models/tumor/words.txt"
    words.write_text("one two")
    with_words = code_digest(tree, "tumor")
    moved = words.rename(words.with_name("other.txt"))
    assert len({before, with_words, code_digest(tree, "tumor")}) == 3
    moved.unlink()


def test_what_a_models_own_module_imports_decides(tree: Path) -> None:
    own = tree / "models/tumor/features.py"
    own.write_text("def build():\n    from training.extra import words\n    return words\n")
    extra = tree / "training/extra.py"
    extra.write_text("words = 1\n")
    before = code_digest(tree, "tumor")
    extra.write_text("words = 2\n")
    assert code_digest(tree, "tumor") != before
    own.unlink()
    extra.unlink()


def test_every_module_that_the_jobs_load_decides(root: Path, tmp_path: Path) -> None:
    """The jobs in a process of their own, which then says what it loaded of this repository."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.loaded_by_jobs", str(tmp_path)],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = {line for line in done.stdout.splitlines() if line.endswith(".py")}
    assert {"training/jobs/evaluate.py", "scoring/server/predictor.py", "training/report/page.py"} <= loaded
    decide = {path.relative_to(root).as_posix() for path in covered(root, "tumor")}
    assert {name for name in loaded - decide if not name.startswith(PAGES)} == set()
