"""What processing, training and tuning jobs have in common: create, stop, and wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from local.cloud.seam import AccessDeniedError
from local.sagemaker import events
from local.sagemaker.errors import invalid
from local.sagemaker.execution_role import SERVICE
from local.sagemaker.iam import require_grant
from local.sagemaker.jobs import processing, training
from local.sagemaker.jobs.plan import JobPlan
from local.sagemaker.jobs.run import JobRun
from local.sagemaker.quotas import Uses, of_processing, of_training
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import PROCESSING_JOB, TRAINING_JOB, TUNING_JOB, Kind, Record, now

Planner = Callable[[Backend, Mapping[str, Any], Any], JobPlan]
"""`(backend, arguments, s3)`: what a Create call asks for; `s3` has the job role's credentials."""

_USES: Mapping[str, Callable[[Mapping[str, Any]], Uses]] = {
    PROCESSING_JOB.noun: of_processing,
    TRAINING_JOB.noun: of_training,
}
PLANNERS: Mapping[str, Planner] = {PROCESSING_JOB.noun: processing.plan, TRAINING_JOB.noun: training.plan}


def volume_key(kind: Kind, arguments: Mapping[str, Any]) -> str | None:
    """The key that a Create call wants the instances' volumes to be encrypted with."""
    resources = (
        arguments["ProcessingResources"]["ClusterConfig"]
        if kind is PROCESSING_JOB
        else arguments.get("ResourceConfig", {})
    )
    key: str | None = resources.get("VolumeKmsKeyId")
    return key


class Run(Protocol):
    """A job that runs. `stop` asks it to end; `ended` is set when it has."""

    ended: threading.Event

    def stop(self) -> None: ...


class Jobs:
    """The operations on jobs, and the jobs that run."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._cloud = backend.cloud
        self._runs: dict[str, Run] = {}

    def operations(self) -> dict[str, Operation]:
        """Create for each kind of job that is one process, and Stop for each kind."""
        return {
            **{f"Create{kind.noun}": self._create(kind) for kind in (PROCESSING_JOB, TRAINING_JOB)},
            **{f"Stop{kind.noun}": self._stop(kind) for kind in (PROCESSING_JOB, TRAINING_JOB, TUNING_JOB)},
        }

    def check(self, kind: Kind, arguments: Mapping[str, Any]) -> None:
        """Refuse what a Create call would refuse, but create nothing.

        Raises:
            ServiceError: as AWS refuses it, or 501 for what is not implemented.
        """
        self._plan(kind, arguments)

    def begin(
        self,
        kind: Kind,
        arguments: Mapping[str, Any],
        *,
        on_metric: Callable[[str, float], None] | None = None,
        uses: Uses | None = None,
        **members: Any,
    ) -> Record:
        """Start a job, whose record has these `members`, too. Whoever asks may pass its role.

        `uses` are the instances that it takes, where they are not those of its arguments.

        Raises:
            ServiceError: as AWS refuses it, or 501 for what is not implemented.
        """
        plan, credentials = self._plan(kind, arguments)
        begun = {"Status": "Starting", "StartTime": now(), "StatusMessage": ""}
        state, quotas = self._backend.state, self._backend.quotas
        uses = _USES[kind.noun](arguments) if uses is None else uses
        with quotas.taken(uses):
            record = state.add(
                kind,
                plan.name,
                {
                    **arguments,
                    **members,
                    kind.status_member: "InProgress",
                    "SecondaryStatus": "Starting",
                    "SecondaryStatusTransitions": [begun],
                },
            )
        arn = record[kind.arn_member]
        state.tags[arn] = {tag["Key"]: tag["Value"] for tag in arguments.get("Tags", [])}
        events.job_changed(self._cloud, kind, record)
        run = JobRun(
            self._backend,
            plan,
            credentials,
            on_metric=on_metric,
            on_end=lambda: quotas.give_back(uses),
        )
        self.track(arn, run)
        run.start()
        return record

    def track(self, arn: str, run: Run) -> None:
        """A job that runs can be waited for, and be stopped."""
        self._runs[arn] = run

    def wait(self, kind: Kind, name: str) -> Record:
        """Wait for a job, named by its name or ARN, to end and return its last record."""
        self._runs[self._backend.state.arn(kind, name)].ended.wait()
        return self._backend.state.get(kind, name)

    def stop(self, kind: Kind, name: str) -> None:
        """Ask a job to stop.

        Raises:
            ServiceError: it does not run.
        """
        record = self._backend.state.get(kind, name)
        status = record[kind.status_member]
        if status != "InProgress":
            job = kind.noun.removesuffix("Job").lower()
            raise invalid(f"The request was rejected because the {job} job is in status {status}.")
        self._runs[record[kind.arn_member]].stop()

    def _create(self, kind: Kind) -> Operation:
        def create(call: Call) -> dict[str, Any]:
            call.require_pass_role(call["RoleArn"])
            self._credentials(call["RoleArn"])
            require_grant(call.access_key, self._cloud, volume_key(kind, call.arguments), call["RoleArn"])
            return {kind.arn_member: self.begin(kind, call.arguments)[kind.arn_member]}

        return create

    def _stop(self, kind: Kind) -> Operation:
        def stop(call: Call) -> dict[str, Any]:
            self.stop(kind, call[kind.name_member])
            return {}

        return stop

    def _plan(self, kind: Kind, arguments: Mapping[str, Any]) -> tuple[JobPlan, dict[str, str]]:
        credentials = self._credentials(arguments["RoleArn"])
        planner = PLANNERS[kind.noun]
        return planner(self._backend, arguments, self._cloud.client("s3", credentials)), credentials

    def _credentials(self, role_arn: str) -> dict[str, str]:
        try:
            return self._cloud.credentials_for(role_arn, SERVICE)
        except AccessDeniedError as error:
            raise invalid(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            ) from error
