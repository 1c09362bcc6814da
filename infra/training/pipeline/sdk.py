"""The SageMaker SDK, as much of it as the pipeline needs, made to work without AWS."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import boto3

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "offline",
    "AWS_SECRET_ACCESS_KEY": "offline",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextlib.contextmanager
def offline() -> Iterator[None]:
    """Nobody's region, credentials or profile: the SDK makes clients when it is imported and used.

    Without this it needs a configured AWS; with it, the same arguments give the same definition
    on every machine, and no call leaves it.
    """
    saved, session = dict(os.environ), boto3.DEFAULT_SESSION
    handlers, level = list(logging.root.handlers), logging.root.level
    for name in [name for name in saved if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    boto3.DEFAULT_SESSION = None
    logging.root.addHandler(logging.NullHandler())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the SDK's dependencies
            yield
    finally:
        os.environ.clear()
        os.environ.update(saved)
        boto3.DEFAULT_SESSION = session
        logging.root.handlers[:] = handlers  # the SDK sets up logging for everyone
        logging.root.setLevel(level)


with offline():
    from sagemaker.core.workflow.conditions import ConditionEquals
    from sagemaker.core.workflow.execution_variables import ExecutionVariables
    from sagemaker.core.workflow.functions import Join, JsonGet
    from sagemaker.core.workflow.parameters import ParameterString
    from sagemaker.core.workflow.pipeline_context import PipelineSession
    from sagemaker.core.workflow.properties import Properties, PropertyFile
    from sagemaker.mlops.workflow.condition_step import ConditionStep
    from sagemaker.mlops.workflow.fail_step import FailStep
    from sagemaker.mlops.workflow.pipeline import Pipeline
    from sagemaker.mlops.workflow.retry import (
        SageMakerJobExceptionTypeEnum,
        SageMakerJobStepRetryPolicy,
        StepExceptionTypeEnum,
        StepRetryPolicy,
    )
    from sagemaker.mlops.workflow.steps import ConfigurableRetryStep, StepTypeEnum

__all__ = [
    "ApiStep",
    "ConditionEquals",
    "ConditionStep",
    "ExecutionVariables",
    "FailStep",
    "Join",
    "JsonGet",
    "ParameterString",
    "PropertyFile",
    "definition",
    "offline",
]

# Faults of the service and lack of capacity pass by themselves; what a job did wrong does not.
_STEP_RETRY = StepRetryPolicy(
    exception_types=[StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING],
    interval_seconds=10,
    max_attempts=5,
)
_JOB_RETRY = SageMakerJobStepRetryPolicy(
    exception_types=[SageMakerJobExceptionTypeEnum.CAPACITY_ERROR],
    failure_reason_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR],
    interval_seconds=60,
    max_attempts=5,
)
# An account's quota does not grow by itself. Another run may be at its end, so it is asked for again, but
# then the run fails and says so: what it has done so far is taken from the cache by the next one.
_QUOTA_RETRY = SageMakerJobStepRetryPolicy(
    exception_types=[SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT],
    interval_seconds=60,
    max_attempts=2,
)
CACHED = "P30D"
"""The age up to which a step's results are taken for a later one's: an ISO 8601 duration. Runs are kept."""
_DESCRIBED = {
    "Processing": "DescribeProcessingJobResponse",
    "Training": "DescribeTrainingJobResponse",
    "Tuning": "DescribeHyperParameterTuningJobResponse",
    "RegisterModel": "DescribeModelPackageOutput",
}


class ApiStep(ConfigurableRetryStep):  # type: ignore[misc]
    """A step written as the arguments of the API call it makes.

    A step that may be `reused` is taken from an earlier execution whose step had the same arguments.

    The SDK's Processor, ModelTrainer and ModelBuilder end in such arguments too, by way of
    defaults, environment variables and calls of their own that do not belong in a template.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        arguments: dict[str, Any],
        *,
        depends_on: Sequence[str] = (),
        property_files: Sequence[Any] = (),
        reused: bool = False,
    ) -> None:
        retries = [_STEP_RETRY] if kind == "RegisterModel" else [_STEP_RETRY, _JOB_RETRY, _QUOTA_RETRY]
        super().__init__(name, StepTypeEnum(kind), depends_on=list(depends_on), retry_policies=retries)
        self._arguments = arguments
        self._properties = Properties(step_name=name, step=self, shape_name=_DESCRIBED[kind])
        self.property_files = list(property_files)
        self._reused = reused

    @property
    def arguments(self) -> dict[str, Any]:
        return self._arguments

    @property
    def properties(self) -> Any:
        return self._properties

    def to_request(self) -> dict[str, Any]:
        request: dict[str, Any] = super().to_request()
        if self.property_files:
            request["PropertyFiles"] = [file.expr for file in self.property_files]
        if self._reused:
            request["CacheConfig"] = {"Enabled": True, "ExpireAfter": CACHED}
        return request


def definition(*, name: str, parameters: Sequence[Any], steps: Sequence[Any]) -> dict[str, Any]:
    """The finished document: references checked and resolved, steps ordered by what they need."""
    session = PipelineSession(boto_session=boto3.Session(), default_bucket="unused", sagemaker_config={})
    pipeline = Pipeline(
        name=name,
        parameters=list(parameters),
        steps=list(steps),
        sagemaker_session=session,
        pipeline_experiment_config=None,  # else each run makes an experiment, and must be allowed to
    )
    document: dict[str, Any] = json.loads(pipeline.definition())
    return {key: value for key, value in document.items() if value is not None}
