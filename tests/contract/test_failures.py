"""What a failed run says, and whom it wakes."""

from __future__ import annotations

import pytest

from container.errors import DataError, JobError, ModelCodeError, PlatformError, report
from contract.failures import Cause, StartedBy, pages, parse_failure


@pytest.mark.parametrize("kind", [DataError, ModelCodeError, PlatformError])
def test_what_a_job_says_is_found_in_what_sagemaker_makes_of_it(kind: type[JobError]) -> None:
    said = report(kind("age: 3 rows (see a.csv),\nall of them"), None)
    assert (
        parse_failure(said) == parse_failure(f"AlgorithmError: {said}, exit code: 1") == (kind.blames, said)
    )


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "AlgorithmError: , exit code: 137",
        "ClientError: Data download failed: access denied",
        "CapacityError: Unable to provision requested ML compute capacity.",
    ],
)
def test_where_no_job_spoke_nothing_was_told(reason: str) -> None:
    assert parse_failure(reason) is None


def test_a_page_is_for_the_platform_and_for_what_nobody_watches() -> None:
    paged = {(cause, by) for cause in Cause for by in StartedBy if pages(cause, by)}
    assert paged == {
        *((Cause.PLATFORM, by) for by in StartedBy),
        (Cause.DATA, StartedBy.SCHEDULE),
        (Cause.MODEL_CODE, StartedBy.SCHEDULE),
    }
