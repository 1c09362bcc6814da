"""`python -m tests.contract.loaded_by_jobs FOLDER`: run the pipeline's jobs, and print which files they loaded."""

from __future__ import annotations

import sys
from pathlib import Path

from container.paths import CODE
from tests.fixtures.folders import Run
from tests.fixtures.tables import mixed


def main(folder: Path) -> None:
    run = Run(folder, mixed().with_training(estimator="logistic-regression"))
    assert run.validate().run("validate") == 0
    prepared, trained = run.trained()
    assert run.evaluate(prepared, trained).run("evaluate") == 0
    places = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    files = (Path(place) for place in places if isinstance(place, str))
    ours = (path.relative_to(CODE) for path in files if path.is_relative_to(CODE))
    sys.stdout.writelines(f"{path.as_posix()}\n" for path in ours if path.parts[0] not in ("tests", ".venv"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
