"""Lambda entry point: EventBridge's event that an execution of a state machine ended without success."""

from typing import Any

from adapters.execution_jobs import ExecutionJobs
from adapters.observability import observed
from lambdas.stop_jobs.logic import stop_jobs


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    return stop_jobs(event["detail"]["executionArn"], ExecutionJobs())
