"""The operations on pipelines and their executions."""

from __future__ import annotations

import secrets
import string
import time
from typing import Any

from local.sagemaker import events, refuse
from local.sagemaker.catalog.listing import listing
from local.sagemaker.errors import conflict, invalid, not_implemented
from local.sagemaker.jobs.operations import Jobs
from local.sagemaker.pipelines import cache
from local.sagemaker.pipelines.cache import Cache
from local.sagemaker.pipelines.definition import every, parse
from local.sagemaker.pipelines.run import Execution
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import EXECUTION, PIPELINE, Record, now

_ID_CHARACTERS = string.ascii_lowercase + string.digits
_CHANGEABLE = (
    "PipelineDisplayName",
    "PipelineDescription",
    "PipelineDefinition",
    "RoleArn",
    "ParallelismConfiguration",
)


class Pipelines:
    """The operations, and the executions by ARN."""

    def __init__(self, backend: Backend, jobs: Jobs) -> None:
        self._backend = backend
        self._state = backend.state
        self._jobs = jobs
        self._executions: dict[str, Execution] = {}
        self._caches: dict[str, Cache] = {}

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreatePipeline": self._create,
            "UpdatePipeline": self._update,
            "DeletePipeline": self._delete,
            "StartPipelineExecution": self._start,
            "StopPipelineExecution": self._stop,
            "ListPipelineExecutions": self._list_executions,
            "ListPipelineExecutionSteps": self._list_steps,
            "DescribePipelineDefinitionForExecution": self._describe_definition,
            "ListPipelineParametersForExecution": self._list_parameters,
        }

    def _create(self, call: Call) -> dict[str, Any]:
        self._check(call)
        members = {**call.arguments, "PipelineStatus": "Active"}
        record = self._state.add(PIPELINE, call["PipelineName"], members)
        self._state.tags[record["PipelineArn"]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        return {"PipelineArn": record["PipelineArn"]}

    def _update(self, call: Call) -> dict[str, Any]:
        self._state.get(PIPELINE, call["PipelineName"])
        self._check(call)
        changes = {member: call[member] for member in _CHANGEABLE if member in call.arguments}
        return {"PipelineArn": self._state.change(PIPELINE, call["PipelineName"], **changes)["PipelineArn"]}

    def _check(self, call: Call) -> None:
        if call.get("PipelineDefinitionS3Location"):
            raise not_implemented(f"{call.operation} with PipelineDefinitionS3Location")
        if role := call.get("RoleArn"):
            call.require_pass_role(role)
        if definition := call.get("PipelineDefinition"):
            for step in every(parse(definition).steps):
                cache.check(step)
        elif call.operation == "CreatePipeline":
            raise invalid("PipelineDefinition must be provided.")

    def _delete(self, call: Call) -> dict[str, Any]:
        with self._state.lock:
            arn = self._state.get(PIPELINE, call["PipelineName"])["PipelineArn"]
            executions = self._of(arn)
            if any(record["PipelineExecutionStatus"] in ("Executing", "Stopping") for record in executions):
                raise conflict(f"Pipeline {arn} has running executions: stop them first.")
            for record in executions:
                self._state.remove(EXECUTION, record["PipelineExecutionArn"])
                del self._executions[record["PipelineExecutionArn"]]
            self._state.remove(PIPELINE, call["PipelineName"])
            self._caches.pop(arn, None)
        return {"PipelineArn": arn}

    def _start(self, call: Call) -> dict[str, Any]:
        refuse.beyond(call.arguments, "MlflowExperimentName", "PipelineVersionId", "SelectiveExecutionConfig")
        pipeline = self._state.get(PIPELINE, call["PipelineName"])
        definition = parse(pipeline["PipelineDefinition"])
        given = {parameter["Name"]: parameter["Value"] for parameter in call.get("PipelineParameters", [])}
        members = {
            "PipelineExecutionDisplayName": f"execution-{int(time.time() * 1000)}",
            "ParallelismConfiguration": pipeline.get("ParallelismConfiguration"),
            **call.arguments,
            **{member: pipeline[member] for member in ("PipelineName", "PipelineArn", "PipelineDefinition")},
            "Parameters": definition.values(given),
            "PipelineExecutionStatus": "Executing",
            "StartTime": now(),
        }
        identity = "".join(secrets.choice(_ID_CHARACTERS) for _ in range(12))
        with self._state.lock:
            record = self._state.add(EXECUTION, f"{pipeline['PipelineName']}/execution/{identity}", members)
            self._state.change(PIPELINE, pipeline["PipelineName"], LastRunTime=record["CreationTime"])
            cached = self._caches.setdefault(pipeline["PipelineArn"], Cache())
            execution = Execution(self._backend, self._jobs, record, definition, pipeline["RoleArn"], cached)
            self._executions[record["PipelineExecutionArn"]] = execution
        events.execution_changed(self._backend.cloud, record, previous=None)
        execution.start()
        return {"PipelineExecutionArn": record["PipelineExecutionArn"]}

    def _stop(self, call: Call) -> dict[str, Any]:
        record = self._state.get(EXECUTION, call["PipelineExecutionArn"])
        status, arn = record["PipelineExecutionStatus"], record["PipelineExecutionArn"]
        if status != "Executing":
            raise conflict(
                f"Pipeline execution {arn} has status {status}: only an executing one can be stopped."
            )
        self._executions[arn].stop()
        return {"PipelineExecutionArn": arn}

    def _list_executions(self, call: Call) -> dict[str, Any]:
        pipeline = self._state.get(PIPELINE, call["PipelineName"])
        records = [
            {**r, "PipelineExecutionFailureReason": r.get("FailureReason")}
            for r in self._of(pipeline["PipelineArn"])
        ]
        return listing(call.operation, EXECUTION, records, call.arguments)

    def _list_steps(self, call: Call) -> dict[str, Any]:
        record = self._state.get(EXECUTION, call["PipelineExecutionArn"])
        steps = self._executions[record["PipelineExecutionArn"]].progress.records()
        begun = [{**step, "CreationTime": step["StartTime"]} for step in steps]
        return listing(call.operation, EXECUTION, begun, call.arguments)

    def _describe_definition(self, call: Call) -> dict[str, Any]:
        record = self._state.get(EXECUTION, call["PipelineExecutionArn"])
        return {"PipelineDefinition": record["PipelineDefinition"], "CreationTime": record["CreationTime"]}

    def _list_parameters(self, call: Call) -> dict[str, Any]:
        record = self._state.get(EXECUTION, call["PipelineExecutionArn"])
        return {"PipelineParameters": [{"Name": n, "Value": str(v)} for n, v in record["Parameters"].items()]}

    def _of(self, pipeline_arn: str) -> list[Record]:
        return [record for record in self._state.all(EXECUTION) if record["PipelineArn"] == pipeline_arn]
