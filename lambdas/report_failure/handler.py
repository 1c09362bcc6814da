"""Lambda entry point: EventBridge's event that an execution of the training pipeline failed."""

import os
from typing import Any

from adapters.observability import EmbeddedMetrics, observed
from adapters.pipeline_executions import PipelineExecutions
from lambdas.report_failure.logic import report_failure
from lambdas.report_failure.settings import Settings


@observed
def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    settings = Settings.from_environ(os.environ)
    metrics = EmbeddedMetrics(settings.environment, settings.model)
    return report_failure(event["detail"]["pipelineExecutionArn"], PipelineExecutions(), metrics)
