"""What CreateProcessingJob asks for, as a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.sagemaker import container, refuse, storage
from local.sagemaker.errors import invalid
from local.sagemaker.jobs.plan import Input, JobPlan
from local.sagemaker.service import Backend
from local.sagemaker.state import PROCESSING_JOB

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
END_OF_JOB, CONTINUOUS = "EndOfJob", "Continuous"
"""What is uploaded continuously is, here, when the process has ended: but then however it did."""
_DEFAULT_MAX_RUNTIME = 86_400
_HOST = "algo-1"


def plan(backend: Backend, arguments: Mapping[str, Any], _s3: Any) -> JobPlan:
    """Plan of a processing job.

    Raises:
        ServiceError: 501 for what is not implemented, ValidationException for a path outside /opt/ml.
    """
    _refuse(arguments)
    name = arguments["ProcessingJobName"]
    inputs = [item["S3Input"] for item in arguments.get("ProcessingInputs", [])]
    outputs = arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
    folders = [output["S3Output"]["LocalPath"] for output in outputs]
    _check_paths([*folders, *(item["LocalPath"] for item in inputs)])
    return JobPlan(
        kind=PROCESSING_JOB,
        name=name,
        role_arn=arguments["RoleArn"],
        image=arguments["AppSpecification"]["ImageUri"],
        arguments=arguments["AppSpecification"].get("ContainerArguments", []),
        environment=arguments.get("Environment", {}),
        isolated=bool(arguments.get("NetworkConfig", {}).get("EnableNetworkIsolation")),
        max_runtime=arguments.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME),
        log_group=LOG_GROUP,
        documents={
            "/opt/ml/config/processingjobconfig.json": _config(backend, name, arguments),
            "/opt/ml/config/resourceconfig.json": {"current_host": _HOST, "hosts": [_HOST]},
        },
        inputs=[Input(uri=item["S3Uri"], path=item["LocalPath"]) for item in inputs],
        folders=["/opt/ml/output", *folders],
        message_path="/opt/ml/output/message",
        upload=lambda s3, base: _upload(s3, base, arguments.get("ProcessingOutputConfig", {})),
        upload_of_failed=lambda s3, base: _upload(
            s3, base, arguments.get("ProcessingOutputConfig", {}), modes=(CONTINUOUS,)
        ),
    )


def _check_paths(paths: Iterable[str]) -> None:
    for path in paths:
        if not path.startswith(f"{container.ROOT}/") or ".." in path.split("/"):
            raise invalid(f"LocalPath {path} must be under {container.ROOT}/processing")


def _refuse(arguments: Mapping[str, Any]) -> None:
    refuse.beyond(arguments["AppSpecification"], "ContainerEntrypoint")
    refuse.beyond(arguments, "ExperimentConfig")
    refuse.beyond(arguments.get("NetworkConfig", {}), "VpcConfig")
    cluster = arguments["ProcessingResources"]["ClusterConfig"]
    refuse.beyond(cluster, "InstancePreferences")
    refuse.unless(cluster.get("InstanceCount"), "InstanceCount", 1)
    for item in arguments.get("ProcessingInputs", []):
        refuse.beyond(item, "DatasetDefinition", "AppManaged")
        refuse.s3_source(item["S3Input"])
    for output in arguments.get("ProcessingOutputConfig", {}).get("Outputs", []):
        refuse.beyond(output, "FeatureStoreOutput", "AppManaged")
        refuse.unless(output["S3Output"].get("S3UploadMode"), "S3UploadMode", END_OF_JOB, CONTINUOUS)


def _config(backend: Backend, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    known = {member: value for member, value in arguments.items() if member != "Tags"}
    return {"ProcessingJobArn": backend.state.arn(PROCESSING_JOB, name), **known}


def _upload(
    s3: Any, base: Path, config: Mapping[str, Any], modes: Sequence[str] = (END_OF_JOB, CONTINUOUS)
) -> Mapping[str, Any]:
    for output in config.get("Outputs", []):
        target = output["S3Output"]
        if target.get("S3UploadMode", END_OF_JOB) not in modes:
            continue
        storage.upload(
            s3, container.local_path(base, target["LocalPath"]), target["S3Uri"], config.get("KmsKeyId")
        )
    return {}
