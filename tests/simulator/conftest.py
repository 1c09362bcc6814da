"""The models that go live in simulated accounts, trained once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from tests.simulator.models import Models, train_models
from tests.simulator.run import Report, simulate


@dataclass(frozen=True)
class Trained:
    """Models, and the folder with the deployed code's contract.json."""

    models: Models
    folder: Path

    def simulate(self, seed: str, **options: Any) -> Report:
        return partial(simulate, self.models, self.folder)(seed=seed, **options)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    folder = tmp_path_factory.mktemp("simulated")
    with threadpool_limits(limits=1):
        yield Trained(train_models(folder), folder)
