"""A failed run in one sentence, its cause, and whether it is worth a page."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from adapters.ports import Executions, FailedStep, Metrics
from contract.failures import Cause, StartedBy, pages, parse_failure, with_remedy
from contract.names.metrics import Dimension, Metric
from contract.names.runs import Parameter

log = logging.getLogger(__name__)

_GRAVEST_FIRST = (Cause.PLATFORM, Cause.MODEL_CODE, Cause.DATA, Cause.GATE)
_SILENT = "it ended without a word"


def report_failure(execution_arn: str, executions: Executions, metrics: Metrics) -> dict[str, Any]:
    """Log why an execution failed and count it by its cause; what was logged.

    Doing it twice counts twice, which pages no more than once.
    """
    cause, sentence = explain(executions.failed_steps(execution_arn), executions.reason(execution_arn))
    started_by = _started_by(executions.parameters(execution_arn).get(Parameter.STARTED_BY, ""))
    paged = pages(cause, started_by)
    facts = {
        "execution_arn": execution_arn,
        "cause": cause,
        "sentence": sentence,
        "started_by": started_by,
        "pages": paged,
    }
    log.log(logging.WARNING if cause is Cause.GATE else logging.ERROR, "run failed", extra=facts)
    metrics.emit({Metric.RUNS_FAILED: 1}, by={Dimension.CAUSE: cause})
    metrics.emit({Metric.RUNS_PAGED: int(paged)})
    return facts


def explain(steps: Sequence[FailedStep], otherwise: str) -> tuple[Cause, str]:
    """The gravest cause among the steps that failed, and its sentence, which names the step.

    What no job put into words, such as a refused call, a lack of capacity or a job that was
    killed, is the platform's. `otherwise` is said where no step failed.
    """
    causes = [_of(step) for step in steps]
    for cause in _GRAVEST_FIRST:
        for blamed, sentence in causes:
            if blamed is cause:
                return cause, sentence
    return Cause.PLATFORM, f"{Cause.PLATFORM}: {otherwise or _SILENT}"


def _of(step: FailedStep) -> tuple[Cause, str]:
    if step.verdict:
        return Cause.GATE, f"{step.name}: {step.reason}"
    cause, sentence = parse_failure(step.reason) or (
        Cause.PLATFORM,
        f"{Cause.PLATFORM}: {step.reason or _SILENT}",
    )
    return cause, with_remedy(f"{step.name}: {sentence}")


def _started_by(parameter: str) -> StartedBy:
    """A run that does not say was started by hand, past `start_training`."""
    return StartedBy(parameter) if parameter in set(StartedBy) else StartedBy.PERSON
