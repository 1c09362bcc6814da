"""What SageMaker does with a job's or a model's role for itself: pull the image, write logs and metrics.

The permissions are those of "How to use SageMaker execution roles" in SageMaker's developer guide. A job
whose image cannot be pulled fails; lines that may not be written are lost, and the job goes on.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Mapping

from local.cloud.seam import AccessDeniedError, Cloud

SERVICE = "sagemaker.amazonaws.com"
REMEMBERED_SECONDS = 1.0
"""How long a decision about a stream holds for its next lines."""
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/(?P<repository>[^:@]+)"
)
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def repository_arn(image: str) -> str | None:
    """The repository in ECR that an image is in; None for one that is elsewhere."""
    found = _ECR.match(image)
    if found is None:
        return None
    return f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"


class ExecutionRole:
    """One role, for one job or one instance of an endpoint."""

    def __init__(self, cloud: Cloud, arn: str) -> None:
        self.arn = arn
        self._cloud = cloud
        self._lock = threading.Lock()
        self._decisions: dict[tuple[str, str], tuple[float, bool]] = {}

    def check_pull(self, image: str) -> None:
        """Raise AccessDeniedError unless the role may pull an image of ECR."""
        repository = repository_arn(image)
        if repository is None:
            return
        self._authorize("ecr:GetAuthorizationToken", "*")
        for action in _PULL:
            self._authorize(action, repository)

    def log(self, group: str, stream: str, lines: Iterable[str]) -> None:
        """Write lines to CloudWatch Logs, as far as the role may. They are lost otherwise."""
        resource = f"arn:aws:logs:{self._cloud.region}:{self._cloud.account}:log-group:{group}:log-stream:"
        made = all(
            self._may(action, resource, forever=True)
            for action in ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams")
        )
        if made and self._may("logs:PutLogEvents", resource + stream):
            self._cloud.log(group, stream, lines)

    def put_metric(
        self, namespace: str, name: str, value: float, unit: str, dimensions: Mapping[str, str]
    ) -> None:
        """Put a data point, as far as the role may. It is lost otherwise."""
        if self._may("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace}):
            self._cloud.put_metric(namespace, name, value, unit, dimensions)

    def check_metrics(self, namespace: str) -> None:
        """Ask for what an instance needs to publish its use of processor and memory.

        None is published here; where the role may not, that is recorded.
        """
        self._may("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": namespace})

    def _may(
        self, action: str, resource: str, context: Mapping[str, str] | None = None, *, forever: bool = False
    ) -> bool:
        key = (action, resource)
        with self._lock:
            decided, allowed = self._decisions.get(key, (0.0, False))
        if time.monotonic() - decided < REMEMBERED_SECONDS or (forever and allowed):
            return allowed
        try:
            self._authorize(action, resource, context)
        except AccessDeniedError:
            allowed = False
        else:
            allowed = True
        with self._lock:
            self._decisions[key] = (time.monotonic(), allowed)
        return allowed

    def _authorize(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        self._cloud.authorize(self.arn, SERVICE, action, resource, context or {})
