from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tests.training.folders import Job, Run
from tests.training.tables import mixed


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """`python -m training` makes OpenMP wait politely; here it is loaded already."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def mixed_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of a run on the mixed table."""
    _, trained = Run(tmp_path_factory.mktemp("mixed"), mixed()).trained()
    return trained.base / "model"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)
