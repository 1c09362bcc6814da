"""The life of a tuning job: which trial begins when, and what becomes of them."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from local.sagemaker import events
from local.sagemaker.errors import ServiceError
from local.sagemaker.jobs.operations import Jobs
from local.sagemaker.quotas import Uses
from local.sagemaker.service import Backend
from local.sagemaker.state import ENDED, TRAINING_JOB, TUNING_JOB, Record, now
from local.sagemaker.tuning import describing
from local.sagemaker.tuning.sampler import Sampler
from local.sagemaker.tuning.trial import Trial

logger = logging.getLogger(__name__)

ATTEMPTS = 5
_HOPELESS = (
    "No training job succeeded after {attempts} attempts. Please take a look at the training job failures "
    "to get more details."
)


class TuningRun:
    """Makes trials, `MaxParallelTrainingJobs` at a time but no more than there are cores.

    Trial k begins when trial k - parallel and all before it have ended, and knows of these alone.
    So a search with a seed is the same each time, whichever trial happens to be faster.
    """

    def __init__(self, backend: Backend, jobs: Jobs, record: Record, sampler: Sampler, uses: Uses) -> None:
        """`uses` are the instances taken for all trials that run at a time."""
        self._uses = uses
        self.ended = threading.Event()
        self._backend = backend
        self._jobs = jobs
        self._record = record
        self._sampler = sampler
        self._name: str = record["HyperParameterTuningJobName"]
        self._configuration: Mapping[str, Any] = record["HyperParameterTuningJobConfig"]
        self._running: deque[Trial] = deque()
        self._settled: list[Trial] = []
        self._succeeded = 0
        self._stopping = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Run on a thread of its own."""
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def stop(self) -> None:
        """Begin no more trials, and stop those that run."""
        with self._lock:
            self._stopping = True
            running = list(self._running)
        state = self._backend.state
        with state.lock:
            if state.get(TUNING_JOB, self._name)["HyperParameterTuningJobStatus"] in ENDED:
                return
            state.change(TUNING_JOB, self._name, HyperParameterTuningJobStatus="Stopping")
        for trial in running:
            trial.stop()

    def _run(self) -> None:
        try:
            self._search()
            self._end(*self._outcome())
        except Exception as error:
            logger.exception("tuning job %s", self._name)
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self._backend.quotas.give_back(self._uses)
            self.ended.set()

    def _search(self) -> None:
        limits = self._configuration["ResourceLimits"]
        parallel = min(limits["MaxParallelTrainingJobs"], os.cpu_count() or 1)
        for number in range(limits["MaxNumberOfTrainingJobs"]):
            if len(self._running) == parallel:
                self._settle()
            if self._hopeless or not self._begin(number + 1):
                break
        while self._running:
            self._settle()

    def _begin(self, number: int) -> bool:
        """Start a trial, unless the tuning job is being stopped."""
        suggestion, parameters = self._sampler.ask()
        name = f"{self._name}-{number:03d}-{secrets.token_hex(4)}"
        objective = self._configuration["HyperParameterTuningJobObjective"]
        trial = Trial(
            name=name,
            suggestion=suggestion,
            parameters=parameters,
            objective=objective["MetricName"],
            minimize=objective["Type"] == "Minimize",
            before=[tuple(trial.values) for trial in self._settled if trial.values],
            early_stopping=self._configuration.get("TrainingJobEarlyStoppingType") == "Auto",
            stop=self._stopper(name),
        )
        with self._lock:
            if self._stopping:
                return False
            arguments = describing.training_job(self._record, name, parameters)
            members = {
                "TuningJobArn": self._record["HyperParameterTuningJobArn"],
                "TunedHyperParameters": parameters,
            }
            self._jobs.begin(TRAINING_JOB, arguments, on_metric=trial.measured, uses={}, **members)
            self._running.append(trial)
        self._count()
        return True

    def _stopper(self, name: str) -> Callable[[], None]:
        def stop() -> None:
            try:
                self._jobs.stop(TRAINING_JOB, name)
            except ServiceError:
                logger.debug("%s has ended by itself", name)

        return stop

    def _settle(self) -> None:
        """Wait for the trial that began first, and learn from it."""
        trial = self._running[0]
        record = self._jobs.wait(TRAINING_JOB, trial.name)
        value = trial.result(record)
        with self._lock:
            self._running.popleft()
        self._settled.append(trial)
        self._succeeded += value is not None
        self._sampler.tell(trial.suggestion, value)
        objective = self._configuration["HyperParameterTuningJobObjective"]
        final = {**objective, "Value": value} if value is not None else None
        known = {
            "FinalHyperParameterTuningJobObjectiveMetric": final,
            "ObjectiveStatus": "Succeeded" if final else "Failed",
        }
        self._backend.state.change(TRAINING_JOB, trial.name, **known)
        self._count()

    @property
    def _hopeless(self) -> bool:
        return not self._succeeded and len(self._settled) >= ATTEMPTS

    def _outcome(self) -> tuple[str, str | None]:
        if self._stopping:
            return "Stopped", None
        if self._succeeded:
            return "Completed", None
        return "Failed", _HOPELESS.format(attempts=min(len(self._settled), ATTEMPTS))

    def _count(self) -> None:
        trials = describing.trials(self._backend.state, self._name)
        self._backend.state.change(TUNING_JOB, self._name, **describing.progress(self._record, trials))

    def _end(self, status: str, reason: str | None) -> None:
        moment = now()
        record = self._backend.state.change(
            TUNING_JOB,
            self._name,
            HyperParameterTuningJobStatus=status,
            HyperParameterTuningEndTime=moment,
            FailureReason=reason,
            ConsumedResources={
                "RuntimeInSeconds": int((moment - self._record["CreationTime"]).total_seconds())
            },
        )
        events.job_changed(self._backend.cloud, TUNING_JOB, record)
