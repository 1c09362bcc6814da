"""What tests of more than one area share: the synthesised templates, once a session."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.synthesis import Synthesis, synthesise

ROOT = Path(__file__).parents[1]

# A change is judged by the same examples each time; `make fuzz` looks for new ones.
settings.register_profile("fuzz", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """Gives what `cdk synth` makes of the model `tumor` in an environment; makes it once."""

    @cache
    def make(environment: str) -> Synthesis:
        return synthesise(ROOT, environment, tmp_path_factory.mktemp(environment))

    return make
