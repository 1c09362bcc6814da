"""CloudWatch embedded metric format: metrics in log lines.

After "Specification: Embedded metric format" in the CloudWatch user guide.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_DIMENSIONS = 30
MAX_VALUES = 100


@dataclass(frozen=True)
class Point:
    """One value of one metric under one set of dimensions. `timestamp` is in epoch seconds."""

    namespace: str
    name: str
    value: float
    unit: str
    dimensions: Mapping[str, str]
    timestamp: float


def points(line: str, received: float) -> Iterator[Point]:
    """The metrics in a log line; none in a line that is not in the format.

    `received` (epoch seconds) is the time of metrics that name none. What does not follow the
    specification yields nothing, as in AWS.
    """
    if '"_aws"' not in line:
        return
    try:
        root = json.loads(line)
        metadata = root["_aws"]
        timestamp = metadata.get("Timestamp", received * 1000) / 1000
        directives = metadata["CloudWatchMetrics"]
        for directive in directives:
            yield from _directive(directive, root, timestamp)
    except (ValueError, KeyError, TypeError, AttributeError):
        return


def _directive(directive: Mapping[str, Any], root: Mapping[str, Any], timestamp: float) -> Iterator[Point]:
    namespace = directive["Namespace"]
    dimension_sets = [
        {name: str(root[name]) for name in names}
        for names in directive.get("Dimensions") or [[]]
        if len(names) <= MAX_DIMENSIONS
    ]
    for dimensions, metric in itertools.product(dimension_sets, directive.get("Metrics", [])):
        found = root.get(metric["Name"])
        for value in (found if isinstance(found, list) else [found])[:MAX_VALUES]:
            if isinstance(value, int | float) and not isinstance(value, bool):
                unit = metric.get("Unit", "None")
                yield Point(namespace, metric["Name"], float(value), unit, dimensions, timestamp)
