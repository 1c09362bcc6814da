"""Jobs that run on after their execution are stopped: SageMaker charges them until their own time is up."""

from __future__ import annotations

import logging
from typing import Any

from adapters.ports import StartedJobs

log = logging.getLogger(__name__)


def stop_jobs(execution_arn: str, jobs: StartedJobs) -> dict[str, Any]:
    """Stop the jobs that an execution started and that still run; return their names.

    Doing it twice stops what is left.
    """
    stopped = []
    for prefix in jobs.names(execution_arn):
        for job in jobs.running(prefix):
            jobs.stop(job)
            stopped.append(job.name)
    facts = {"execution_arn": execution_arn, "stopped": stopped}
    log.info("jobs stopped" if stopped else "no job was left", extra=facts)
    return facts
