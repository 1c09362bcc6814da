"""The benchmark of uploads, small, on the tests' own laptop: `python -m benchmarks uploads` starts one."""

from __future__ import annotations

import pytest

from benchmarks.suites.laptop import Laptop
from benchmarks.suites.uploads import COPY, MILLRACE, measure
from tests.end_to_end.laptop import Model

pytestmark = pytest.mark.local_cloud


def test_each_upload_of_a_burst_is_seen_and_timed(tumor: Model) -> None:
    cloud = Laptop(tumor.laptop.root, tumor.laptop.port, tumor.outputs)
    found = measure(cloud, count=3, rounds=1)
    assert found.keys() == {MILLRACE, COPY}
    for (figures,) in found.values():
        assert figures.rate > 0
        assert len(figures.seconds) == 3
        assert all(seconds > 0 for seconds in figures.seconds)
    scored = [key for key in tumor.outcomes("0/Millrace/") if key.startswith("scored/")]
    assert len(scored) == 3
    assert tumor.outcomes("0/a handler that copies/"), "the copies lie where results would"
