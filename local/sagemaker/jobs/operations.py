"""What processing and training jobs have in common: create, describe, list, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from local.cloud.seam import AccessDeniedError
from local.sagemaker import events
from local.sagemaker.errors import invalid
from local.sagemaker.jobs import processing, training
from local.sagemaker.jobs.plan import JobPlan
from local.sagemaker.jobs.run import JobRun
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import PROCESSING_JOB, TRAINING_JOB, Kind, Record, now

Planner = Callable[[Backend, Mapping[str, Any], Any], JobPlan]
"""`(backend, arguments, s3)`: what a Create call asks for; `s3` has the job role's credentials."""


class Jobs:
    """The operations on jobs, and the jobs that run."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._cloud = backend.cloud
        self._runs: dict[str, JobRun] = {}

    def operations(self) -> dict[str, Operation]:
        """Create and Stop for each kind of job."""
        table: dict[str, Operation] = {}
        for kind, plan in ((PROCESSING_JOB, processing.plan), (TRAINING_JOB, training.plan)):
            table[f"Create{kind.noun}"] = self._create(kind, plan)
            table[f"Stop{kind.noun}"] = self._stop(kind)
        return table

    def wait(self, kind: Kind, arn: str) -> Record:
        """Wait for a job to end and return its last record."""
        self._runs[arn].ended.wait()
        return self._backend.state.get(kind, arn)

    def _create(self, kind: Kind, planner: Planner) -> Operation:
        def create(call: Call) -> dict[str, Any]:
            call.require_pass_role(call["RoleArn"])
            credentials = self._credentials(call["RoleArn"])
            plan = planner(self._backend, call.arguments, self._cloud.client("s3", credentials))
            members = {
                **call.arguments,
                kind.status_member: "InProgress",
                "SecondaryStatus": "Starting",
                "SecondaryStatusTransitions": [
                    {"Status": "Starting", "StartTime": now(), "StatusMessage": ""}
                ],
            }
            state = self._backend.state
            record = state.add(kind, plan.name, members)
            state.tags[record[kind.arn_member]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
            events.job_changed(self._cloud, kind, record)
            run = self._runs[record[kind.arn_member]] = JobRun(self._backend, plan, credentials)
            run.start()
            return {kind.arn_member: record[kind.arn_member]}

        return create

    def _stop(self, kind: Kind) -> Operation:
        def stop(call: Call) -> dict[str, Any]:
            record = self._backend.state.get(kind, call[kind.name_member])
            status = record[kind.status_member]
            if status != "InProgress":
                job = kind.noun.removesuffix("Job").lower()
                raise invalid(f"The request was rejected because the {job} job is in status {status}.")
            self._runs[record[kind.arn_member]].stop()
            return {}

        return stop

    def _credentials(self, role_arn: str) -> dict[str, str]:
        try:
            return self._cloud.credentials_for(role_arn, "sagemaker.amazonaws.com")
        except AccessDeniedError as error:
            raise invalid(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            ) from error
