"""`make demo` on a machine of its own, beside another cloud that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.end_to_end.laptop import Laptop

pytestmark = pytest.mark.local_cloud


def test_the_demo_tells_the_whole_story_and_leaves_the_cloud_running(
    laptop: Laptop, make_laptop: Callable[[], Laptop]
) -> None:
    other = replace(make_laptop(), validated=True)

    told = other.millrace("demo")

    assert other.port != laptop.port
    for part in (
        "validate",
        "register",
        "roc_auc",
        "prediction",
        "rejected",
        "unscorable-uploads",
        "aws s3 cp",
    ):
        assert part in told
    assert other.denials() == []
    assert "running" in other.millrace("status")
