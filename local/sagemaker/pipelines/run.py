"""One execution of a pipeline: which step runs when, and how it ends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from local.sagemaker import events
from local.sagemaker.jobs.operations import Jobs
from local.sagemaker.pipelines import retry
from local.sagemaker.pipelines.cache import Cache, Hit
from local.sagemaker.pipelines.definition import Definition, Step, dependencies, every
from local.sagemaker.pipelines.progress import Progress
from local.sagemaker.pipelines.resolve import Scope
from local.sagemaker.pipelines.steps import StepFailedError, StepRunner
from local.sagemaker.service import Backend
from local.sagemaker.state import EXECUTION, Record, now

logger = logging.getLogger(__name__)

NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline"
_PARALLEL_STEPS = 50
_STEP_FAILURE = "Step failure: One or multiple steps failed."
_REASON_CHARACTERS = 1024


class Execution:
    """Runs the steps of a definition as their dependencies allow."""

    def __init__(
        self,
        backend: Backend,
        jobs: Jobs,
        record: Record,
        definition: Definition,
        role_arn: str,
        cache: Cache,
    ) -> None:
        self._backend = backend
        self._record = record
        self._definition = definition
        self._arn: str = record["PipelineExecutionArn"]
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._stopping = threading.Event()
        self.progress = Progress(backend.cloud, record)
        self._runner = StepRunner(backend, jobs, role_arn, self._arn, self._learn, self._reuse, cache)

    def start(self) -> None:
        """Run on a thread of its own."""
        self._measure("ExecutionStarted", 1, "Count")
        threading.Thread(target=self._run, name=self._arn.rpartition("/")[2], daemon=True).start()

    def stop(self) -> None:
        """Start no further step and stop the jobs that run."""
        self._stopping.set()
        self._changed("Stopping")
        for step in self.progress.records():
            if step["StepStatus"] == "Executing":
                self._stop_step(step["StepName"], step["Metadata"])

    def _run(self) -> None:
        started, reason = time.monotonic(), None
        try:
            self._run_steps()
        except Exception as error:
            logger.exception("pipeline execution %s", self._arn)
            reason = f"InternalFailure: {error}"
        if self._stopping.is_set():
            status = "Stopped"
        elif reason or self.progress.has("Failed", "Stopped"):
            status, reason = "Failed", reason or _STEP_FAILURE
        else:
            status = "Succeeded"
        self._measure(f"Execution{status}", 1, "Count")
        self._measure("ExecutionDuration", (time.monotonic() - started) * 1000, "Milliseconds")
        self._changed(status, EndTime=now(), FailureReason=reason)

    def _run_steps(self) -> None:
        pending = self._definition.steps
        running: dict[Future[Mapping[str, Any] | None], Step] = {}
        limit = (self._record.get("ParallelismConfiguration") or {}).get(
            "MaxParallelExecutionSteps", _PARALLEL_STEPS
        )
        with ThreadPoolExecutor(max_workers=limit) as pool:
            while True:
                for step in self._ready(pending)[: limit - len(running)]:
                    pending.remove(step)
                    self.progress.begin(step)
                    running[pool.submit(self._run_step, step, self._scope())] = step
                if not running:
                    return  # what still waits lies behind a branch not taken, or a step that failed
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    step, outputs = running.pop(future), future.result()
                    if outputs is not None:
                        self._outputs[step["Name"]] = outputs
                        pending += _branch(step, outputs)

    def _ready(self, pending: list[Step]) -> list[Step]:
        if self._stopping.is_set() or self.progress.has("Failed", "Stopped"):
            return []
        return [step for step in pending if dependencies(step) <= self._outputs.keys()]

    def _run_step(self, step: Step, scope: Scope) -> Mapping[str, Any] | None:
        """Execute one step and return its properties; None if it did not succeed."""
        try:
            outputs = self._attempt(step, scope)
        except StepFailedError as error:
            status = "Stopped" if self._stopping.is_set() else error.status
            self.progress.end(step["Name"], status, error.reason[:_REASON_CHARACTERS])
            return None
        except Exception as error:
            self.progress.end(step["Name"], "Failed", f"InternalFailure: {error}"[:_REASON_CHARACTERS])
            raise
        self.progress.end(step["Name"], "Succeeded")
        return outputs

    def _attempt(self, step: Step, scope: Scope) -> Mapping[str, Any]:
        """Run a step, again where a retry policy of it covers the way in which it failed."""
        started, attempt = time.monotonic(), 1
        while True:
            try:
                return self._runner.run(step, scope)
            except StepFailedError as error:
                policies, elapsed = step.get("RetryPolicies", []), time.monotonic() - started
                delay = retry.delay(policies, error.exception_type, attempt, elapsed)
                if delay is None or self._stopping.wait(delay):
                    raise
                attempt += 1
                self.progress.change(step["Name"], AttemptCount=attempt)

    def _scope(self) -> Scope:
        return Scope(
            parameters=self._record["Parameters"],
            execution=_execution_variables(self._record),
            steps=dict(self._outputs),
            read_property_file=self._read_property_file,
        )

    def _read_property_file(self, name: str, file: str) -> Any:
        step = next(step for step in every(self._definition.steps) if step["Name"] == name)
        return self._runner.read_property_file(step, file, self._outputs.get(name))

    def _learn(self, name: str, metadata: Mapping[str, Any]) -> None:
        self.progress.change(name, Metadata=metadata)
        if self._stopping.is_set():  # asked to stop while the job was being created
            self._stop_step(name, metadata)

    def _reuse(self, name: str, hit: Hit) -> None:
        found = {"SourcePipelineExecutionArn": hit.execution_arn}
        self.progress.change(name, Metadata=hit.metadata, CacheHitResult=found)

    def _stop_step(self, name: str, metadata: Mapping[str, Any]) -> None:
        try:
            self._runner.stop(metadata)
        except StepFailedError as error:
            logger.warning("stopping step %s of %s: %s", name, self._arn, error.reason)

    def _changed(self, status: str, **members: Any) -> None:
        state = self._backend.state
        with state.lock:
            previous = state.get(EXECUTION, self._arn)["PipelineExecutionStatus"]
            record = state.change(EXECUTION, self._arn, PipelineExecutionStatus=status, **members)
        events.execution_changed(self._backend.cloud, record, previous)

    def _measure(self, name: str, value: float, unit: str) -> None:
        dimensions = {"PipelineName": self._record["PipelineName"]}
        self._backend.cloud.put_metric(NAMESPACE, name, value, unit, dimensions)


def _branch(step: Step, outputs: Mapping[str, Any]) -> list[Step]:
    """The steps that a condition lets run."""
    if step["Type"] != "Condition":
        return []
    branch: list[Step] = step["Arguments"]["IfSteps" if outputs["Outcome"] else "ElseSteps"]
    return branch


def _execution_variables(record: Record) -> dict[str, Any]:
    started = record["CreationTime"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {
        "PipelineName": record["PipelineName"],
        "PipelineArn": record["PipelineArn"],
        "PipelineExecutionArn": record["PipelineExecutionArn"],
        "PipelineExecutionId": record["PipelineExecutionArn"].rpartition("/")[2],
        "StartDateTime": started,
        "CurrentDateTime": started,
    }
