"""State changes as EventBridge delivers them, in the shapes that AWS documents."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from local.cloud.seam import Cloud
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import ENDPOINT, MODEL_PACKAGE, Kind, Record

SOURCE = "aws.sagemaker"


def _described(kind: Kind, record: Record) -> Record:
    output = output_shape(f"Describe{kind.noun}")
    return project(record, output)


def job_changed(cloud: Cloud, kind: Kind, record: Record) -> None:
    """A job changed its status."""
    title = {
        "ProcessingJob": "Processing Job",
        "TrainingJob": "Training Job",
        "TransformJob": "Transform Job",
        "HyperParameterTuningJob": "HyperParameter Tuning Job",
    }[kind.noun]
    _put(
        cloud,
        f"SageMaker {title} State Change",
        {**_described(kind, record), "Tags": {}},
        [record[kind.arn_member]],
        _milliseconds,
    )


def package_changed(cloud: Cloud, record: Record, updated: Collection[str] = ()) -> None:
    """A model package was created, or some members of it were updated: its approval, or any other."""
    fields = {"UpdatedModelPackageFields": list(updated)} if updated else {}
    _put(
        cloud,
        "SageMaker Model Package State Change",
        {**_described(MODEL_PACKAGE, record), **fields},
        [record["ModelPackageArn"]],
        _iso,
    )


def endpoint_changed(cloud: Cloud, record: Record) -> None:
    """An endpoint changed its status; here EventBridge spells it IN_SERVICE."""
    _put_endpoint(cloud, "SageMaker Endpoint State Change", record)


def deployment_changed(cloud: Cloud, record: Record) -> None:
    """A variant changed its status in an update that is under way."""
    _put_endpoint(cloud, "SageMaker Endpoint Deployment State Change", record)


def _put_endpoint(cloud: Cloud, title: str, record: Record) -> None:
    status = re.sub(r"(?<!^)(?=[A-Z])", "_", record["EndpointStatus"]).upper()
    detail = {**_described(ENDPOINT, record), "EndpointStatus": status, "Tags": {}}
    _put(cloud, title, detail, [record["EndpointArn"]], _milliseconds)


def execution_changed(cloud: Cloud, record: Record, previous: str | None) -> None:
    """A pipeline execution changed its status."""
    detail = {
        "pipelineExecutionDisplayName": record.get("PipelineExecutionDisplayName"),
        "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
        "currentPipelineExecutionStatus": record["PipelineExecutionStatus"],
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": record["CreationTime"],
        "executionEndTime": record.get("EndTime"),
        **_arns(record),
    }
    _put(
        cloud,
        "SageMaker Model Building Pipeline Execution Status Change",
        detail,
        [*_arns(record).values()],
        _iso,
    )


def step_changed(cloud: Cloud, execution: Record, step: Record, kind: str, previous: str) -> None:
    """A step of a pipeline execution changed its status."""
    detail = {
        "metadata": {
            _small(key): {_small(k): v for k, v in value.items()} for key, value in step["Metadata"].items()
        },
        "stepStartTime": step.get("StartTime"),
        "stepEndTime": step.get("EndTime"),
        "stepName": step["StepName"],
        "stepType": kind,
        "previousStepStatus": previous,
        "currentStepStatus": step["StepStatus"],
        "failureReason": step.get("FailureReason"),
        **_arns(execution),
    }
    name = "SageMaker Model Building Pipeline Execution Step Status Change"
    _put(cloud, name, detail, [*_arns(execution).values()], _iso)


def _arns(execution: Record) -> dict[str, str]:
    return {
        "pipelineArn": execution["PipelineArn"],
        "pipelineExecutionArn": execution["PipelineExecutionArn"],
    }


def _put(cloud: Cloud, title: str, detail: Mapping[str, Any], resources: list[str], encode: Any) -> None:
    known = {name: value for name, value in detail.items() if value is not None}
    cloud.put_event(SOURCE, title, json.loads(json.dumps(known, default=encode)), resources)


def _small(name: str) -> str:
    return name[0].lower() + name[1:]


def _iso(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(value: datetime) -> int:
    return int(value.timestamp() * 1000)
