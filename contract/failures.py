"""Why a training run ended without a model, and who had started it: both decide whether to page."""

from __future__ import annotations

import re
from enum import StrEnum


class Cause(StrEnum):
    """Whose it is to put right. A job's failure begins with the first three, and a colon."""

    DATA = "Data"
    MODEL_CODE = "Model code"
    PLATFORM = "Platform"
    GATE = "Gate"
    """Nobody's fault: the model was tested and found not good enough."""


class StartedBy(StrEnum):
    """Who started a run: what `start_training` is told in `started_by`."""

    UPLOAD = "upload"
    PERSON = "person"
    SCHEDULE = "schedule"
    """Nobody waits for the result: a failure that no one is paged for is one that no one sees."""


_TOLD = re.compile(
    r"(?:AlgorithmError: )?(?P<sentence>(?P<cause>Data|Model code|Platform): .*?)(?:, exit code: -?\d+)?",
    re.DOTALL,
)


NOT_REGISTERED = "The model was not registered:"
"""How the sentence of a run begins whose model missed a gate. The evaluation has its end."""


def told(reason: str) -> tuple[Cause, str] | None:
    """What a job said of its failure, out of SageMaker's reason; None where a job said nothing.

    SageMaker writes of a training job `AlgorithmError: Data: …, exit code: 1`, and hands on as it
    is what a processing job said.
    """
    found = _TOLD.fullmatch(reason.strip())
    return (Cause(found["cause"]), found["sentence"]) if found else None


def pages(cause: Cause, started_by: StartedBy) -> bool:
    """Whether a failed run is worth waking somebody.

    Whoever uploads a table or starts a run looks at what becomes of it, and can put right
    their data and their code; the platform is the on-call engineer's, at any hour.
    """
    if cause is Cause.GATE:
        return False
    return cause is Cause.PLATFORM or started_by is StartedBy.SCHEDULE
