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
from local.sagemaker.pipelines.definition import Definition, Step, dependencies
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
        self, backend: Backend, jobs: Jobs, record: Record, definition: Definition, role_arn: str
    ) -> None:
        self._backend = backend
        self._record = record
        self._scope_values = (record["Parameters"], _execution_variables(record))
        self._arn: str = record["PipelineExecutionArn"]
        self._pipeline: str = record["PipelineName"]
        self._pending: dict[str, Step] = {step["Name"]: step for step in definition.steps}
        self._definitions: dict[str, Step] = dict(self._pending)
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self.steps: dict[str, Record] = {}
        """What ListPipelineExecutionSteps shows, by name, in the order of their start."""
        self._runner = StepRunner(
            backend=backend, jobs=jobs, role_arn=role_arn, execution_arn=self._arn, on_metadata=self._learn
        )

    def start(self) -> None:
        """Run on a thread of its own."""
        self._measure("ExecutionStarted", 1, "Count")
        threading.Thread(target=self._run, name=self._arn.rpartition("/")[2], daemon=True).start()

    def stop(self) -> None:
        """Start no further step and stop the jobs that run."""
        self._stopping.set()
        self._changed("Stopping")
        for step in list(self.steps.values()):
            if step["StepStatus"] == "Executing":
                try:
                    self._runner.stop(step["Metadata"])
                except StepFailedError as error:
                    logger.warning("stopping %s of %s: %s", step["StepName"], self._arn, error.reason)

    def _run(self) -> None:
        started = time.monotonic()
        try:
            self._run_steps()
            failed = any(step["StepStatus"] == "Failed" for step in self.steps.values())
            status, reason = ("Failed", _STEP_FAILURE) if failed else ("Succeeded", None)
            if self._stopping.is_set():
                status, reason = "Stopped", None
            elif any(step["StepStatus"] == "Stopped" for step in self.steps.values()):
                status, reason = "Failed", _STEP_FAILURE
        except Exception as error:
            logger.exception("pipeline execution %s", self._arn)
            status, reason = "Failed", f"InternalFailure: {error}"
        self._measure(f"Execution{status}", 1, "Count")
        self._measure("ExecutionDuration", (time.monotonic() - started) * 1000, "Milliseconds")
        self._changed(status, EndTime=now(), FailureReason=reason)

    def _run_steps(self) -> None:
        parallel = self._record.get("ParallelismConfiguration", {}).get(
            "MaxParallelExecutionSteps", _PARALLEL_STEPS
        )
        running: dict[Future[None], str] = {}
        with ThreadPoolExecutor(max_workers=parallel) as pool:
            while True:
                for step in self._ready():
                    running[pool.submit(self._run_step, step)] = step["Name"]
                if not running:
                    return  # what still waits lies behind a branch not taken, or a step that failed
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    future.result()

    def _ready(self) -> list[Step]:
        if self._stopping.is_set() or any(
            s["StepStatus"] in ("Failed", "Stopped") for s in self.steps.values()
        ):
            return []
        ready = [step for step in self._pending.values() if dependencies(step) <= self._outputs.keys()]
        for step in ready:
            del self._pending[step["Name"]]
        return ready

    def _run_step(self, step: Step) -> None:
        name = step["Name"]
        known = {"DisplayName": "StepDisplayName", "Description": "StepDescription"}
        self.steps[name] = {
            "StepName": name,
            **{member: step[key] for key, member in known.items() if key in step},
            "StartTime": now(),
            "StepStatus": "Starting",
            "AttemptCount": 1,
            "Metadata": {},
        }
        self._step_changed(step, "Executing")
        try:
            outputs = self._attempt(step)
        except StepFailedError as error:
            reason = error.reason[:_REASON_CHARACTERS]
            status = "Stopped" if self._stopping.is_set() else error.status
            self._step_changed(step, status, EndTime=now(), FailureReason=reason)
            return
        except Exception as error:
            self._step_changed(step, "Failed", EndTime=now(), FailureReason=f"InternalFailure: {error}")
            raise
        if step["Type"] == "Condition":
            branch = step["Arguments"]["IfSteps" if outputs["Outcome"] else "ElseSteps"]
            self._pending.update({inner["Name"]: inner for inner in branch})
            self._definitions.update(self._pending)
        self._step_changed(step, "Succeeded", EndTime=now())
        self._outputs[name] = outputs

    def _attempt(self, step: Step) -> Mapping[str, Any]:
        """Run a step, again where a retry policy of it covers the way in which it failed."""
        for attempt in range(1, 1000):
            try:
                return self._runner.run(step, self._scope())
            except StepFailedError as error:
                policy: Mapping[str, Any] = next(
                    (p for p in step.get("RetryPolicies", []) if error.exception_type in p["ExceptionType"]),
                    {},
                )
                if attempt >= policy.get("MaxAttempts", 1) or self._stopping.is_set():
                    raise
                delay = policy.get("IntervalSeconds", 1) * policy.get("BackoffRate", 2.0) ** (attempt - 1)
                self._stopping.wait(delay)
                self.steps[step["Name"]]["AttemptCount"] = attempt + 1
        raise AssertionError("unreachable")

    def _scope(self) -> Scope:
        parameters, execution = self._scope_values
        return Scope(
            parameters=parameters,
            execution=execution,
            steps=dict(self._outputs),
            read_property_file=self._read_property_file,
        )

    def _read_property_file(self, step: str, name: str) -> Any:
        return self._runner.read_property_file(self._definitions[step], name, self._outputs[step])

    def _learn(self, step: str, metadata: Mapping[str, Any]) -> None:
        self.steps[step]["Metadata"] = dict(metadata)

    def _step_changed(self, step: Step, status: str, **members: Any) -> None:
        record = self.steps[step["Name"]]
        with self._lock:
            previous = record["StepStatus"]
            record.update(StepStatus=status, **members)
        events.step_changed(self._backend.cloud, self._record, record, step["Type"], previous)

    def _changed(self, status: str, **members: Any) -> None:
        state = self._backend.state
        with state.lock:
            previous = state.get(EXECUTION, self._arn)["PipelineExecutionStatus"]
            record = state.change(EXECUTION, self._arn, PipelineExecutionStatus=status, **members)
        events.execution_changed(self._backend.cloud, record, previous)

    def _measure(self, name: str, value: float, unit: str) -> None:
        self._backend.cloud.put_metric(NAMESPACE, name, value, unit, {"PipelineName": self._pipeline})


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
