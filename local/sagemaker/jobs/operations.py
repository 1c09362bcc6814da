"""What processing and training jobs have in common: create, describe, list, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.seam import AccessDeniedError
from local.sagemaker import events
from local.sagemaker.errors import invalid
from local.sagemaker.jobs import processing, training
from local.sagemaker.jobs.plan import JobPlan
from local.sagemaker.jobs.run import JobRun
from local.sagemaker.listing import listing
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import PROCESSING_JOB, TRAINING_JOB, Kind, Record, now

Planner = Callable[[Backend, Mapping[str, Any]], JobPlan]


@dataclass(eq=False)
class Jobs:
    """The operations on jobs, and the jobs that run."""

    backend: Backend
    _runs: dict[str, JobRun] = field(default_factory=dict)

    def operations(self) -> dict[str, Operation]:
        """Create, Describe, List and Stop for each kind of job."""
        table: dict[str, Operation] = {}
        for kind, plan in ((PROCESSING_JOB, processing.plan), (TRAINING_JOB, training.plan)):
            table[f"Create{kind.noun}"] = self._create(kind, plan)
            table[f"Describe{kind.noun}"] = self._describe(kind)
            table[f"List{kind.noun}s"] = self._list(kind)
            table[f"Stop{kind.noun}"] = self._stop(kind)
        return table

    def wait(self, kind: Kind, arn: str) -> Record:
        """Wait for a job to end and return its last record."""
        self._runs[arn].ended.wait()
        return self.backend.state.get(kind, arn)

    def _create(self, kind: Kind, planner: Planner) -> Operation:
        def create(call: Call) -> dict[str, Any]:
            call.require_pass_role(call["RoleArn"])
            self._check_role(call["RoleArn"])
            plan = planner(self.backend, call.arguments)
            members = {
                **call.arguments,
                kind.status_member: "InProgress",
                "SecondaryStatus": "Starting",
                "SecondaryStatusTransitions": [
                    {"Status": "Starting", "StartTime": now(), "StatusMessage": ""}
                ],
            }
            state = self.backend.state
            record = state.add(kind, plan.name, members)
            state.tags[record[kind.arn_member]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
            events.job_changed(self.backend.cloud, kind, record)
            run = self._runs[record[kind.arn_member]] = JobRun(self.backend, plan)
            run.start()
            return {kind.arn_member: record[kind.arn_member]}

        return create

    def _describe(self, kind: Kind) -> Operation:
        output = output_shape(f"Describe{kind.noun}")

        def describe(call: Call) -> dict[str, Any]:
            return project(self.backend.state.get(kind, call[kind.name_member]), output)

        return describe

    def _list(self, kind: Kind) -> Operation:
        return lambda call: listing(call.operation, kind, self.backend.state.all(kind), call.arguments)

    def _stop(self, kind: Kind) -> Operation:
        def stop(call: Call) -> dict[str, Any]:
            record = self.backend.state.get(kind, call[kind.name_member])
            status = record[kind.status_member]
            if status != "InProgress":
                job = kind.noun.removesuffix("Job").lower()
                raise invalid(f"The request was rejected because the {job} job is in status {status}.")
            self._runs[record[kind.arn_member]].stop()
            return {}

        return stop

    def _check_role(self, role_arn: str) -> None:
        try:
            self.backend.cloud.credentials_for(role_arn, "sagemaker.amazonaws.com")
        except AccessDeniedError as error:
            raise invalid(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            ) from error
