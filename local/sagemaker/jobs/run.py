"""The life of a job: from its first file to its last status."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.seam import AccessDeniedError
from local.sagemaker import container, events, storage
from local.sagemaker.errors import reason
from local.sagemaker.execution_role import ExecutionRole
from local.sagemaker.jobs.plan import JobPlan, Upload
from local.sagemaker.jobs.process import JobProcess
from local.sagemaker.service import Backend
from local.sagemaker.state import ENDED, TRAINING_JOB, Record, now

logger = logging.getLogger(__name__)

NAMESPACE = "/aws/sagemaker/TrainingJobs"
"""Of the metrics that CloudWatch has of training jobs' logs."""
_REASON_CHARACTERS = 1024


class JobFailedError(Exception):
    """The job ends as Failed; the message is its FailureReason."""


@dataclass(eq=False)
class JobRun:
    """One job while it runs."""

    backend: Backend
    plan: JobPlan
    credentials: dict[str, str]
    """The job role's."""
    on_metric: Callable[[str, float], None] | None = None
    """`(name, value)`: each time that the job's log tells a metric."""
    on_end: Callable[[], None] | None = None
    metrics: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.process = JobProcess(self.backend.cloud.children, self._log)
        self.base = self.backend.cloud.folder / "jobs" / self.plan.name / "ml"
        self.ended = threading.Event()
        self._stream = f"{self.plan.name}/algo-1-{int(time.time())}"
        self._role = ExecutionRole(self.backend.cloud, self.plan.role_arn)

    def start(self) -> None:
        """Run on a thread of its own."""
        threading.Thread(target=self._run, name=self.plan.name, daemon=True).start()

    def stop(self) -> None:
        """Ask the job to stop; it does so in its own time."""
        self._changed(status="Stopping", secondary="Stopping")
        threading.Thread(target=self.process.stop, args=("Stopped",), daemon=True).start()

    def _run(self) -> None:
        try:
            self._execute()
        except JobFailedError as error:
            self._end("Failed", "Failed", FailureReason=str(error)[:_REASON_CHARACTERS])
        except Exception as error:
            logger.exception("job %s", self.plan.name)
            text = f"InternalServerError: {type(error).__name__}: {error}"
            self._end("Failed", "Failed", FailureReason=text[:_REASON_CHARACTERS])
        finally:
            if self.on_end is not None:
                self.on_end()
            self.ended.set()

    def _execute(self) -> None:
        s3 = self.backend.cloud.client("s3", self.credentials)
        self._changed(secondary="Downloading")
        self._pull()
        self._prepare(s3)
        started: dict[str, Any] = {f"{self._verb}StartTime": now()}
        self._changed(secondary=self._verb, **started)
        variables = container.environment(
            self.backend.cloud,
            self.plan.image,
            self.base,
            self.plan.environment,
            None if self.plan.isolated else self.credentials,
        )
        self._role.check_metrics(self.plan.log_group)
        argv = container.command(self.plan.arguments)
        tree = container.tree(self.backend.cloud, self.plan.image)
        code = self.process.run(argv, variables, tree, self.plan.max_runtime)
        self._keep_checkpoints(s3)
        self._finish(s3, code)

    def _pull(self) -> None:
        try:
            self._role.check_pull(self.plan.image)
        except AccessDeniedError as error:
            raise JobFailedError(
                "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
                f"permissions are incorrect. ({error})"
            ) from error

    def _keep_checkpoints(self, s3: Any) -> None:
        kept = self.plan.checkpoints
        if kept is None:
            return
        try:
            storage.upload(s3, container.local_path(self.base, kept.path), kept.uri)
        except (ClientError, BotoCoreError) as error:
            raise JobFailedError(f"ClientError: Checkpoint upload failed: {reason(error)}") from error

    def _finish(self, s3: Any, code: int | None) -> None:
        message = self._message()
        stopped = self.process.stopped_because
        said = {"ExitMessage": message} if message else {}
        if stopped is None and code != 0:
            if self.plan.upload_of_failed:
                self._uploaded(self.plan.upload_of_failed, s3)
            text = f"AlgorithmError: {message}, exit code: {code}"
            self._end("Failed", "Failed", FailureReason=text[:_REASON_CHARACTERS], **said)
            return
        self._changed(secondary="Uploading")
        known = self._uploaded(self.plan.upload, s3)
        self._end("Stopped" if stopped else "Completed", stopped or "Completed", **known, **said)

    def _uploaded(self, upload: Upload, s3: Any) -> Mapping[str, Any]:
        try:
            return upload(s3, self.base)
        except (ClientError, BotoCoreError) as error:
            raise JobFailedError(f"ClientError: Artifact upload failed: {reason(error)}") from error

    def _prepare(self, s3: Any) -> None:
        for folder in self.plan.folders:
            container.local_path(self.base, folder).mkdir(parents=True, exist_ok=True)
        for path, document in self.plan.documents.items():
            file = container.local_path(self.base, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(document, default=str))
        self._locate(s3)
        if kept := self.plan.checkpoints:
            with contextlib.suppress(storage.EmptyPrefixError):  # the job's first start
                storage.download(s3, kept.uri, container.local_path(self.base, kept.path))
        for item in self.plan.inputs:
            try:
                storage.download(s3, item.uri, container.local_path(self.base, item.path))
            except storage.EmptyPrefixError as error:
                raise JobFailedError(
                    f"ClientError: Data download failed:No S3 objects found under {error}"
                ) from error
            except (ClientError, BotoCoreError) as error:
                raise JobFailedError(
                    f"ClientError: Data download failed:{reason(error)} ({item.uri})"
                ) from error

    def _locate(self, s3: Any) -> None:
        try:
            storage.locate(s3, [item.uri for item in self.plan.inputs])
        except (ClientError, BotoCoreError) as error:
            raise JobFailedError(f"ClientError: Data download failed:{reason(error)}") from error

    def _message(self) -> str:
        path = container.local_path(self.base, self.plan.message_path)
        return path.read_text(errors="replace").strip()[:_REASON_CHARACTERS] if path.is_file() else ""

    def _log(self, line: str) -> None:
        self._role.log(self.plan.log_group, self._stream, [line])
        for name, pattern in self.plan.metrics.items():
            if (value := number_in(line, pattern)) is not None:
                self._measured(name, value)

    def _measured(self, name: str, value: float) -> None:
        if math.isfinite(value):  # CloudWatch takes no other
            self.metrics[name] = value
            dimensions = {"TrainingJobName": self.plan.name}
            self._role.put_metric(NAMESPACE, name, value, "None", dimensions)
        if self.on_metric is not None:
            self.on_metric(name, value)

    @property
    def _verb(self) -> str:
        return self.plan.kind.noun.removesuffix("Job")

    def _end(self, status: str, secondary: str, **members: Any) -> None:
        moment = now()
        final = [{"MetricName": n, "Value": v, "Timestamp": moment} for n, v in self.metrics.items()]
        self._changed(
            status=status,
            secondary=secondary,
            **{f"{self._verb}EndTime": moment, "FinalMetricDataList": final or None, **members},
        )

    def _changed(self, *, secondary: str, status: str | None = None, **members: Any) -> None:
        kind, state = self.plan.kind, self.backend.state
        with state.lock:
            record = state.get(kind, self.plan.name)
            if record[kind.status_member] in ENDED:
                return  # who stops a job as it ends comes too late
            transitions = _transitions(record, secondary)
            if status is not None:
                members[kind.status_member] = status
            record = state.change(
                kind,
                self.plan.name,
                SecondaryStatus=secondary,
                SecondaryStatusTransitions=transitions,
                **members,
            )
        if status is not None or kind is TRAINING_JOB:  # only training jobs tell of their secondary status
            events.job_changed(self.backend.cloud, kind, record)


def number_in(line: str, pattern: str) -> float | None:
    """The number that a metric's regular expression finds in a line; None where it finds none."""
    match = re.search(pattern, line)
    try:
        return float(match[1]) if match else None
    except (ValueError, TypeError, IndexError):
        return None  # the log goes on


def _transitions(record: Record, status: str) -> list[dict[str, Any]]:
    moment = now()
    past = [dict(transition) for transition in record.get("SecondaryStatusTransitions", [])]
    if past:
        past[-1].setdefault("EndTime", moment)
    return [*past, {"Status": status, "StartTime": moment, "StatusMessage": ""}]
