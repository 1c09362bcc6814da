"""Logs as one JSON object a line, and metrics in CloudWatch's embedded metric format.

Both go to standard output, which Lambda sends to CloudWatch Logs. Never log a row's values.
"""

from __future__ import annotations

import functools
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from contract.names.metrics import NAMESPACE, Dimension, Metric

_context: ContextVar[Mapping[str, Any]] = ContextVar("log_context", default={})  # noqa: B039 - never mutated
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

UNITS: dict[Metric, str] = {
    Metric.UPLOADS_SCORED: "Count",
    Metric.UPLOADS_UNSCORABLE: "Count",
    Metric.ROWS_SCORED: "Count",
    Metric.ROWS_REJECTED: "Count",
    Metric.REJECTED_ROW_SHARE: "Percent",
    Metric.UNSEEN_CATEGORIES: "Count",
    Metric.UNSEEN_CATEGORY_SHARE: "Percent",
    Metric.SECONDS_TO_RESULT: "Seconds",
    Metric.UPLOADS_WITHOUT_OUTCOME: "Count",
    Metric.RUNS_FAILED: "Count",
    Metric.RUNS_PAGED: "Count",
    Metric.DRIFTED: "Count",
    Metric.DRIFT_EVIDENCE: "None",
    Metric.ROWS_MONITORED: "Count",
    Metric.QUOTA_REACHED: "Count",
}


@contextmanager
def logged_with(**fields: str) -> Iterator[None]:
    """Add these fields to every line logged inside."""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def observed(handler: Handler) -> Handler:
    """A Lambda handler that logs JSON lines which name its request."""

    @functools.wraps(handler)
    def observed_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        log_as_json()
        with logged_with(request_id=context.aws_request_id):
            return handler(event, context)

    return observed_handler


def log_as_json() -> None:
    """Make this the process's only logging: our own from INFO, libraries' from WARNING."""
    handler = _StandardOutput()
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for room in ("lambdas", "scoring"):
        logging.getLogger(room).setLevel(logging.INFO)


class JsonFormatter(logging.Formatter):
    """One object a line: level, message, logger, the context's fields, those of `extra`, the error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **_context.get(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = {
                "type": type(error).__name__,
                "message": str(error),
                "traceback": self.formatException(record.exc_info),
            }
        return _one_line(line)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002
        """UTC, ISO 8601, milliseconds."""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03d}Z"


class _StandardOutput(logging.Handler):
    """Looks standard output up each time, since a runtime may exchange it."""

    def emit(self, record: logging.LogRecord) -> None:
        _print(self.format(record))


@dataclass(frozen=True)
class EmbeddedMetrics:
    """Metrics of one model in one environment; see `adapters.ports.Metrics`."""

    environment: str
    model: str

    def emit(self, values: Mapping[Metric, float], by: Mapping[Dimension, str] | None = None) -> None:
        dimensions = [Dimension.ENVIRONMENT, Dimension.MODEL]
        line: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": [dimensions, *([[*dimensions, *by]] if by else [])],
                        "Metrics": [{"Name": metric, "Unit": UNITS[metric]} for metric in values],
                    }
                ],
            },
            Dimension.ENVIRONMENT: self.environment,
            Dimension.MODEL: self.model,
            # CloudWatch takes dimensions in ASCII only.
            **{
                str(name): value.encode("ascii", "backslashreplace").decode()
                for name, value in (by or {}).items()
            },
            **_context.get(),
            **{str(metric): value for metric, value in values.items()},
        }
        _print(_one_line(line))


def _one_line(members: Mapping[str, Any]) -> str:
    # A message may name a key with half a surrogate pair, which is no text: to fail on it here would
    # fail the very answer to it.
    text = json.dumps(members, ensure_ascii=False, default=str)
    return text.encode(errors="backslashreplace").decode()


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
