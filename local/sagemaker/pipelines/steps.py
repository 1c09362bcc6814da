"""One step of a pipeline execution: called with the pipeline role, waited for, and what became of it."""

from __future__ import annotations

import copy
import json
import secrets
import string
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from local.cloud.seam import AccessDeniedError
from local.sagemaker import storage
from local.sagemaker.errors import reason
from local.sagemaker.jobs.operations import Jobs
from local.sagemaker.pipelines.cache import Cache, Hit
from local.sagemaker.pipelines.conditions import all_hold
from local.sagemaker.pipelines.definition import Step
from local.sagemaker.pipelines.resolve import Scope, UnresolvedError, resolve
from local.sagemaker.service import Backend
from local.sagemaker.shapes import input_shape
from local.sagemaker.state import MODEL, MODEL_PACKAGE, PROCESSING_JOB, TRAINING_JOB, TUNING_JOB, Kind, now

_NAME_CHARACTERS = string.ascii_letters + string.digits
_MAX_STEP_NAME = 28  # what 63 characters leave for it in a job's name
_MAX_TUNING_STEP_NAME = 7
_LOOK_SECONDS, _LOOK_AGAIN_SECONDS = 10.0, 0.2
"""How long SageMaker looks for a job that it made."""


@dataclass(eq=False)
class StepFailedError(Exception):
    """A step ends as Failed or Stopped."""

    reason: str
    exception_type: str = ""
    """What a retry policy calls this kind of failure; empty if it is nobody's to retry."""
    status: str = "Failed"


@dataclass(frozen=True)
class Task:
    """A step type that is one Create call."""

    kind: Kind
    metadata: str
    named: bool

    @property
    def operation(self) -> str:
        return f"Create{self.kind.noun}"


TASKS = {
    "Processing": Task(PROCESSING_JOB, "ProcessingJob", named=True),
    "Training": Task(TRAINING_JOB, "TrainingJob", named=True),
    "Tuning": Task(TUNING_JOB, "TuningJob", named=True),
    "RegisterModel": Task(MODEL_PACKAGE, "RegisterModel", named=False),
    "Model": Task(MODEL, "Model", named=True),
}

_JOBS = (PROCESSING_JOB, TRAINING_JOB, TUNING_JOB)
"""What a step has to wait for."""

_EXCEPTION_TYPES = {
    "ThrottlingException": "Step.THROTTLING",
    "ResourceLimitExceeded": "SageMaker.RESOURCE_LIMIT",
}


@dataclass(eq=False)
class StepRunner:
    """Runs steps of one execution."""

    backend: Backend
    jobs: Jobs
    role_arn: str
    execution_arn: str
    on_metadata: Callable[[str, Mapping[str, Any]], None]
    """`(step, metadata)`: as soon as it is known what a step has created."""
    on_hit: Callable[[str, Hit], None]
    """`(step, hit)`: a step is not executed, because an earlier execution's is taken for it."""
    cache: Cache

    def run(self, step: Step, scope: Scope) -> Mapping[str, Any]:
        """Do what a step says and return its properties, as Describe answers.

        Raises:
            StepFailedError: it did not succeed.
        """
        try:
            if step["Type"] == "Condition":
                outcome = all_hold(step["Arguments"]["Conditions"], scope)
                self.on_metadata(step["Name"], {"Condition": {"Outcome": "True" if outcome else "False"}})
                return {"Outcome": outcome}
            arguments = resolve(step["Arguments"], scope)
        except UnresolvedError as error:
            raise StepFailedError(f"ClientError: Unable to resolve the step's arguments: {error}") from error
        if step["Type"] == "Fail":
            message = str(arguments["ErrorMessage"])
            self.on_metadata(step["Name"], {"Fail": {"ErrorMessage": message}})
            raise StepFailedError(message)
        if hit := self.cache.find(step, arguments):
            self.on_hit(step["Name"], hit)
            return hit.outputs
        asked = copy.deepcopy(arguments)  # before it is given a name and tags
        outputs, metadata = self._create(step["Name"], TASKS[step["Type"]], arguments)
        hit = Hit(execution_arn=self.execution_arn, ended=now(), outputs=outputs, metadata=metadata)
        self.cache.keep(step, asked, hit)
        return outputs

    def _create(
        self, step: str, task: Task, arguments: dict[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        if task.named:
            arguments[task.kind.name_member] = self._job_name(step, task)
            # AWS tags what a pipeline creates, which is why a pipeline's role needs sagemaker:AddTags.
            tag = {"Key": "sagemaker:pipeline-execution-arn", "Value": self.execution_arn}
            arguments["Tags"] = [*arguments.get("Tags", []), tag]
        else:
            generated = {"GeneratedBy": self.execution_arn}
            arguments["MetadataProperties"] = {**generated, **arguments.get("MetadataProperties", {})}
        arn = self._call(task.operation, arguments)[task.kind.arn_member]
        metadata = {task.metadata: {"Arn": arn}}
        self.on_metadata(step, metadata)
        if task.kind not in _JOBS:
            return self.backend.state.get(task.kind, arn), metadata
        self._look(task, arguments[task.kind.name_member])
        record = self.jobs.wait(task.kind, arn)
        status = record[task.kind.status_member]
        if status == "Failed":
            internal = record["FailureReason"].startswith("InternalServerError")
            kind = "SageMaker.JOB_INTERNAL_ERROR" if internal else ""
            raise StepFailedError(record["FailureReason"], kind)
        if status == "Stopped":
            how = record.get("SecondaryStatus", status)
            raise StepFailedError(f"The job was stopped: {how}", status="Stopped")
        return record, metadata

    def _look(self, task: Task, name: str) -> None:
        """Describe a job with the pipeline's role, which must be able to tell how it is."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while True:
            try:
                self._call(f"Describe{task.kind.noun}", {task.kind.name_member: name})
            except StepFailedError as error:
                if "not authorized" in error.reason or time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return

    def stop(self, metadata: Mapping[str, Any]) -> None:
        """Stop the job that a step has started, if it has."""
        for task in (task for task in TASKS.values() if task.kind in _JOBS):
            if arn := metadata.get(task.metadata, {}).get("Arn"):
                name = self.backend.state.get(task.kind, arn)[task.kind.name_member]
                self._call(f"Stop{task.kind.noun}", {task.kind.name_member: name})

    def read_property_file(self, step: Step, name: str, outputs: Mapping[str, Any] | None) -> Any:
        """The document of a property file, read with the pipeline role.

        Raises:
            UnresolvedError: it cannot be read as JSON.
        """
        file = next((f for f in step.get("PropertyFiles", []) if f["PropertyFileName"] == name), None)
        if file is None or outputs is None:
            raise UnresolvedError(f"property file {name} of step {step['Name']} does not exist")
        targets = {
            o["OutputName"]: o["S3Output"]["S3Uri"] for o in outputs["ProcessingOutputConfig"]["Outputs"]
        }
        uri = f"{targets[file['OutputName']].rstrip('/')}/{file['FilePath']}"
        bucket, key = storage.parse(uri)
        try:
            return json.load(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"])
        except (ClientError, BotoCoreError, AccessDeniedError, ValueError) as error:
            raise UnresolvedError(f"{uri} cannot be read as JSON: {reason(error)}") from error

    def _call(self, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        shape = input_shape(operation)
        try:
            method = getattr(self._client("sagemaker"), xform_name(operation))
            answer: Mapping[str, Any] = method(**coerce(arguments, shape))
            return answer
        except (ClientError, ParamValidationError, AccessDeniedError) as error:
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
            message = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
            text = f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: {message}"
            raise StepFailedError(text, _EXCEPTION_TYPES.get(code, "")) from error
        except BotoCoreError as error:
            raise StepFailedError(
                f"ServiceFault: sagemaker:{operation}: {error}", "Step.SERVICE_FAULT"
            ) from error

    def _client(self, service: str) -> Any:
        return self.backend.cloud.client(service, self._credentials)

    @cached_property
    def _credentials(self) -> dict[str, str]:
        return self.backend.cloud.credentials_for(self.role_arn, "sagemaker.amazonaws.com")

    def _job_name(self, step: str, task: Task) -> str:
        execution = self.execution_arn.rpartition("/")[2]
        suffix = "".join(secrets.choice(_NAME_CHARACTERS) for _ in range(10))
        if task.kind is TUNING_JOB:  # whose name has 32 characters at most
            return f"{execution}-{step[:_MAX_TUNING_STEP_NAME]}-{suffix}"
        return f"pipelines-{execution}-{step[:_MAX_STEP_NAME]}-{suffix}"


def coerce(value: Any, shape: Shape) -> Any:
    """Arguments with numbers where a shape wants them: the SDK writes them as strings into definitions."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {k: coerce(v, shape.members[k]) if k in shape.members else v for k, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [coerce(item, shape.member) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: coerce(item, shape.value) for key, item in value.items()}
    if shape.type_name in ("integer", "long") and isinstance(value, str) and value.isdigit():
        return int(value)
    return value
