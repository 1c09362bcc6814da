"""What tests of more than one area share: the synthesised templates, once a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from tests.synthesis import Synthesis

pytest_plugins = ("tests.fixtures.aws", "tests.fixtures.budget", "tests.fixtures.jobs")

ROOT = Path(__file__).parents[1]
DEAR = ("tests/end_to_end/", "tests/infra/")
"""Folders whose tests share what takes long to make, the longest first: a local cloud, the templates."""

# A change is judged by the same examples each time; `make fuzz` looks for new ones.
settings.register_profile("fuzz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]
    """One process runs the tests of a dear folder, or of any other file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((folder for folder in DEAR if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsShared:
    return ByWhatIsShared(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dear ones begin first."""
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in DEAR])


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """Gives what `cdk synth` makes of the model `tumor` in an environment; makes it once."""

    # Only now: CDK and SageMaker's SDK take seconds to import, and most rooms need neither.
    from tests.synthesis import synthesise

    @cache
    def make(environment: str) -> Synthesis:
        return synthesise(ROOT, environment, tmp_path_factory.mktemp(environment))

    return make
