"""The environments whose templates are looked at: the laptop, and one as people deploy it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.synthesis import Synthesis

ENVIRONMENTS = ("local", "prod")


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def stacks(request: pytest.FixtureRequest, synth: Callable[[str], Synthesis]) -> Synthesis:
    """Both stacks, in each of the environments."""
    return synth(request.param)


@pytest.fixture(scope="session")
def prod(synth: Callable[[str], Synthesis]) -> Synthesis:
    """Both stacks as an account gets them."""
    return synth("prod")
