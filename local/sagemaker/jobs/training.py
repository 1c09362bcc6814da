"""What CreateTrainingJob asks for, as a plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from contract.artifact import ARCHIVE
from local.sagemaker import container, refuse, storage
from local.sagemaker.errors import invalid
from local.sagemaker.jobs.plan import Input, JobPlan
from local.sagemaker.service import Backend
from local.sagemaker.state import TRAINING_JOB

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_DATA = "/opt/ml/input/data"
_CONFIG = "/opt/ml/input/config"
_CHECKPOINTS = "/opt/ml/checkpoints"
_DAY = 86_400
_NOT_DONE = (
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "ExperimentConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "ProfilerRuleConfigurations",
    "RemoteDebugConfig",
    "RetryStrategy",
    "ServerlessJobConfig",
    "SessionChainingConfig",
    "TensorBoardOutputConfig",
    "VpcConfig",
)
_NOT_DONE_WITH_INSTANCES = (
    "InstanceGroups",
    "InstancePlacementConfig",
    "InstancePreferences",
    "KeepAlivePeriodInSeconds",
    "TrainingPlanArn",
)


def plan(backend: Backend, arguments: Mapping[str, Any], s3: Any) -> JobPlan:
    """Plan of a training job.

    Raises:
        ServiceError: 501 for what is not implemented, ValidationException for an input without objects.
    """
    _refuse(arguments)
    _check_spot(arguments)
    name, output = arguments["TrainingJobName"], arguments["OutputDataConfig"]
    channels = {channel["ChannelName"]: channel for channel in arguments.get("InputDataConfig", [])}
    sources = {name: channel["DataSource"]["S3DataSource"]["S3Uri"] for name, channel in channels.items()}
    _check_sources(backend, s3, arguments["RoleArn"], sources.values())
    algorithm = arguments["AlgorithmSpecification"]
    return JobPlan(
        kind=TRAINING_JOB,
        name=name,
        role_arn=arguments["RoleArn"],
        image=algorithm["TrainingImage"],
        arguments=algorithm.get("ContainerArguments") or ["train"],
        environment={**arguments.get("Environment", {}), **_variables(backend, name)},
        isolated=bool(arguments.get("EnableNetworkIsolation")),
        max_runtime=arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DAY),
        log_group=LOG_GROUP,
        documents=_documents(arguments, channels),
        inputs=[Input(uri=uri, path=f"{_DATA}/{channel}") for channel, uri in sources.items()],
        folders=["/opt/ml/model", "/opt/ml/output/data"],
        message_path="/opt/ml/output/failure",
        upload=lambda s3, base: _upload(s3, base, name, output),
        checkpoints=_checkpoints(arguments),
        metrics=_metrics(algorithm),
    )


def _variables(backend: Backend, name: str) -> dict[str, str]:
    return {"TRAINING_JOB_NAME": name, "TRAINING_JOB_ARN": backend.state.arn(TRAINING_JOB, name)}


def _refuse(arguments: Mapping[str, Any]) -> None:
    refuse.beyond(
        arguments["AlgorithmSpecification"], "AlgorithmName", "ContainerEntrypoint", "TrainingImageConfig"
    )
    refuse.beyond(arguments, *_NOT_DONE)
    refuse.beyond(arguments.get("ResourceConfig", {}), *_NOT_DONE_WITH_INSTANCES)
    refuse.beyond(arguments.get("StoppingCondition", {}), "MaxPendingTimeInSeconds")
    refuse.unless(arguments["AlgorithmSpecification"].get("TrainingInputMode"), "TrainingInputMode", "File")
    refuse.unless(arguments.get("ResourceConfig", {}).get("InstanceCount"), "InstanceCount", 1)
    refuse.unless(arguments["OutputDataConfig"].get("CompressionType"), "CompressionType", "GZIP")
    for channel in arguments.get("InputDataConfig", []):
        refuse.beyond(channel, "ShuffleConfig")
        refuse.unless(channel.get("InputMode"), "InputMode", "File")
        refuse.unless(channel.get("CompressionType"), "CompressionType", "None")
        refuse.unless(channel.get("RecordWrapperType"), "RecordWrapperType", "None")
        refuse.beyond(channel["DataSource"], "FileSystemDataSource", "DatasetSource")
        refuse.s3_source(channel["DataSource"]["S3DataSource"])


def _metrics(algorithm: Mapping[str, Any]) -> dict[str, str]:
    found = {metric["Name"]: metric["Regex"] for metric in algorithm.get("MetricDefinitions", [])}
    for name, pattern in found.items():
        try:
            re.compile(pattern)
        except re.error as error:
            raise invalid(f"The regular expression of the metric {name} is invalid: {error}") from error
    return found


def _checkpoints(arguments: Mapping[str, Any]) -> Input | None:
    config = arguments.get("CheckpointConfig")
    if config is None:
        return None
    return Input(uri=config["S3Uri"], path=config.get("LocalPath", _CHECKPOINTS).rstrip("/"))


def _check_spot(arguments: Mapping[str, Any]) -> None:
    """A laptop is never out of spot capacity, nor takes it away: only the request is checked."""
    limit = arguments.get("StoppingCondition", {})
    wait = limit.get("MaxWaitTimeInSeconds")
    if not arguments.get("EnableManagedSpotTraining"):
        if wait is not None:
            raise invalid("MaxWaitTimeInSeconds can only be set if EnableManagedSpotTraining is true.")
    elif wait is None or wait < limit.get("MaxRuntimeInSeconds", _DAY):
        raise invalid("MaxWaitTimeInSeconds must be set, and be no less than MaxRuntimeInSeconds.")


def _check_sources(backend: Backend, s3: Any, role_arn: str, uris: Iterable[str]) -> None:
    """AWS looks into the inputs before it accepts a training job, with the job's role."""
    for uri in uris:
        try:
            found = any(True for _ in storage.list_keys(s3, uri))
        except ClientError:
            found = False
        if not found:
            bucket, region = storage.parse(uri)[0], backend.cloud.region
            raise invalid(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
                f"the bucket exists in the selected region ({region}), that objects exist under that S3 "
                f'prefix, and that the role "{role_arn}" has "s3:ListBucket" permissions on bucket '
                f'"{bucket}".'
            )


def _documents(arguments: Mapping[str, Any], channels: Mapping[str, Any]) -> dict[str, Any]:
    host = "algo-1"
    return {
        f"{_CONFIG}/hyperparameters.json": arguments.get("HyperParameters", {}),
        f"{_CONFIG}/inputdataconfig.json": {
            name: {
                "TrainingInputMode": "File",
                "S3DistributionType": "FullyReplicated",
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
            for name, channel in channels.items()
        },
        f"{_CONFIG}/resourceconfig.json": {
            "current_host": host,
            "hosts": [host],
            "current_instance_type": arguments.get("ResourceConfig", {}).get("InstanceType"),
            "network_interface_name": "lo",
        },
    }


def _upload(s3: Any, base: Path, job: str, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Pack and upload what the job left; a model, where it left one, is what its record learns of."""
    folder = f"{config['S3OutputPath'].rstrip('/')}/{job}/output"
    _upload_packed(s3, base, "/opt/ml/output/data", f"{folder}/output.tar.gz", config.get("KmsKeyId"))
    model = f"{folder}/{ARCHIVE}"
    if _upload_packed(s3, base, "/opt/ml/model", model, config.get("KmsKeyId")):
        return {"ModelArtifacts": {"S3ModelArtifacts": model}}
    return {}


def _upload_packed(s3: Any, base: Path, folder: str, uri: str, kms_key: str | None) -> bool:
    archive = base.parent / uri.rpartition("/")[2]
    packed = storage.pack(container.local_path(base, folder), archive)
    if packed:
        storage.upload_file(s3, archive, uri, kms_key)
        archive.unlink()
    return packed
