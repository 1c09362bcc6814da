"""The pipeline's jobs as steps, and where each finds what others wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract.artifact import ARCHIVE
from contract.names.jobs import INPUTS, OUTPUTS, ROOT, Folder, Job, Variable
from infra.kit.job_size import Size
from infra.training.pipeline import sdk
from infra.training.pipeline.values import PLACEHOLDERS


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The arguments that all jobs have in common: one image, one key, one instance, no network."""

    run: Any
    size: Size
    version: Any
    code_digest: str
    environment: Mapping[str, Any]

    def place(self, *parts: str) -> Any:
        """The place of something of this run in the artifacts bucket."""
        return sdk.Join(on="/", values=[self.run, *parts])

    def processing(
        self,
        job: Job,
        *,
        inputs: Mapping[Folder, Any],
        outputs: list[Folder],
        property_files: list[Any] | None = None,
        depends_on: list[Job] | None = None,
        kept_if_failed: bool = False,
    ) -> Any:
        """A processing job that gives the image its own name as the command.

        What it writes is uploaded when it ends well, or `kept_if_failed` as it is written.
        """
        mode = "Continuous" if kept_if_failed else "EndOfJob"
        arguments = {
            "AppSpecification": {"ImageUri": PLACEHOLDERS.image_uri, "ContainerArguments": [job]},
            "RoleArn": _role(job),
            "Environment": dict(self.environment),
            "ProcessingInputs": [_input(name, uri) for name, uri in inputs.items()],
            "ProcessingOutputConfig": {
                "Outputs": [_output(output, self.place(job, output), mode) for output in outputs],
                "KmsKeyId": PLACEHOLDERS.key_arn,
            },
            "ProcessingResources": {"ClusterConfig": self._instance()},
            "NetworkConfig": {"EnableNetworkIsolation": True, "EnableInterContainerTrafficEncryption": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.size.processing_seconds},
        }
        return sdk.ApiStep(
            job,
            "Processing",
            arguments,
            property_files=property_files or [],
            depends_on=depends_on or [],
            reused=True,
        )

    def training(self, name: str, *, channels: Mapping[Folder, Any], metrics: list[dict[str, str]]) -> Any:
        """A training job; SageMaker itself gives the image the command `train`."""
        return sdk.ApiStep(name, "Training", self._fit(name, channels, metrics), reused=True)

    def tuning(
        self,
        name: str,
        *,
        channels: Mapping[Folder, Any],
        metrics: list[dict[str, str]],
        configuration: Mapping[str, Any],
        warm_start: Mapping[str, Any],
    ) -> Any:
        """A tuning job. Its trials are training jobs that know by `Variable.TRIAL` that they are.

        Their data and code stand in hyperparameters: SageMaker refuses a warm start from a
        job with another environment.
        """
        definition = self._fit(name, channels, metrics)
        definition["StaticHyperParameters"] = definition.pop("Environment")
        definition["Environment"] = {Variable.TRIAL: "true"}
        arguments = {
            "HyperParameterTuningJobConfig": dict(configuration),
            "TrainingJobDefinition": definition,
            **warm_start,
        }
        return sdk.ApiStep(name, "Tuning", arguments, reused=True)

    def _fit(
        self, name: str, channels: Mapping[Folder, Any], metrics: list[dict[str, str]]
    ) -> dict[str, Any]:
        return {
            "AlgorithmSpecification": {
                "TrainingImage": PLACEHOLDERS.image_uri,
                "TrainingInputMode": "File",
                "MetricDefinitions": metrics,
            },
            "RoleArn": _role(name),
            "Environment": dict(self.environment),
            "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
            "OutputDataConfig": {"S3OutputPath": self.place(name), "KmsKeyId": PLACEHOLDERS.key_arn},
            "ResourceConfig": self._instance(),
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": self.size.training_seconds},
            **self._spot(name),
        }

    def _spot(self, name: str) -> dict[str, Any]:
        """The arguments of a training job on spot instances, which goes on where it was interrupted.

        Its checkpoints lie where those of the same data and code do, whichever run they are of: a place of
        the run's own would be another argument each time, and no step would come from the cache.
        """
        if self.size.spot_wait_minutes is None:
            return {}
        place = [PLACEHOLDERS.checkpoints_uri, self.version, self.code_digest, name]
        runs = self.size.training_seconds
        waits = 60 * self.size.spot_wait_minutes
        return {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": runs, "MaxWaitTimeInSeconds": runs + waits},
            "CheckpointConfig": {"S3Uri": sdk.Join(on="/", values=place)},
        }

    def _instance(self) -> dict[str, Any]:
        return {
            "InstanceType": self.size.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": self.size.volume_gib,
            "VolumeKmsKeyId": PLACEHOLDERS.key_arn,
        }


def written(step: Any, output: Folder) -> Any:
    """The URI to which a processing job wrote an output: an earlier run's, if the step was cached."""
    return step.properties.ProcessingOutputConfig.Outputs[output].S3Output.S3Uri


def trials(step: Any) -> Any:
    """Where a tuning job's trials wrote: each under its own name, as `output/` and `ARCHIVE`."""
    return step.properties.TrainingJobDefinition.OutputDataConfig.S3OutputPath


def best_trial(step: Any) -> Any:
    """The artifact of a tuning job's best trial."""
    best = step.properties.BestTrainingJob.TrainingJobName
    return sdk.Join(on="/", values=[trials(step), best, "output", ARCHIVE])


def _role(job: str) -> str:
    return str(getattr(PLACEHOLDERS, f"{job}_role_arn"))


def _input(name: Folder, uri: Any) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{ROOT}/{INPUTS}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _output(name: Folder, uri: Any, mode: str) -> dict[str, Any]:
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"{ROOT}/{OUTPUTS}/{name}",
            "S3UploadMode": mode,
        },
    }


def _channel(name: Folder, uri: Any) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }
