"""Causes of failed training runs, and who had started them: both decide whether to page."""

from __future__ import annotations

import re
from enum import StrEnum


class Cause(StrEnum):
    """The party that can put it right. A job's failure begins with one of the first three, and a colon."""

    DATA = "Data"
    MODEL_CODE = "Model code"
    PLATFORM = "Platform"
    GATE = "Gate"
    """Nobody's fault: the model was tested and found not good enough."""


class StartedBy(StrEnum):
    """The party that started a run: `started_by` in the event of `start_training`."""

    UPLOAD = "upload"
    PERSON = "person"
    SCHEDULE = "schedule"
    """Nobody waits for the result: a failure that no one is paged for is one that no one sees."""


_FAILURE = re.compile(
    r"(?:AlgorithmError: )?(?P<sentence>(?P<cause>Data|Model code|Platform): .*?)(?:, exit code: -?\d+)?",
    re.DOTALL,
)


NOT_REGISTERED = "The model was not registered:"
"""The beginning of the sentence about a run whose model missed a gate. The evaluation has its end."""


_QUOTA = re.compile(r"service limit '[^']+' is \d+")
"""As SageMaker refuses instances that there are none of."""


def with_remedy(reason: str) -> str:
    """A reason, and what to do where it is that a quota of the account was reached."""
    return (
        f"{reason} ./millrace quotas has the command that asks for more." if _QUOTA.search(reason) else reason
    )


def parse_failure(reason: str) -> tuple[Cause, str] | None:
    """Parse a job's own cause and sentence out of SageMaker's failure reason; None where it has none.

    SageMaker writes of a training job `AlgorithmError: Data: …, exit code: 1`, and hands on as it
    is what a processing job said.
    """
    match = _FAILURE.fullmatch(reason.strip())
    return (Cause(match["cause"]), match["sentence"]) if match else None


def pages(cause: Cause, started_by: StartedBy) -> bool:
    """Return True if a failed run is worth waking somebody.

    Whoever uploads a table or starts a run looks at what becomes of it, and can put right
    their data and their code; the platform is the on-call engineer's, at any hour.
    """
    if cause is Cause.GATE:
        return False
    return cause is Cause.PLATFORM or started_by is StartedBy.SCHEDULE
