"""The conservation law in more accounts, each of more uploads, than `make test` has time for."""

from __future__ import annotations

import pytest

from tests.simulator.conftest import Trained

pytestmark = pytest.mark.long


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_lost_doubled_or_wrong_however_much_fails(trained: Trained, seed: int) -> None:
    report = trained.simulate(f"long {seed}", uploads=100, faults=0.3)
    assert report.violations == []
    assert report.left_over == 0
    assert report.scored + report.unscorable > 90  # but for what its owner deleted
    assert report.happened["redriven"]
