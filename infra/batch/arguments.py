"""The jobs of the batch path: the arguments with which its state machine makes them.

Why the transform is configured as it is: a part is one request (SplitType None, SingleRecord),
so that a part that fails costs no other its answer: SageMaker goes on with the others, writes
an answer for each that succeeded, and only then calls the job failed. Every round names its
parts in a manifest, which is how the next one asks for the missing ones alone. A part is at
most 6 MiB, as the model server takes it; MaxPayloadInMB is above that, and its product with
MaxConcurrentTransforms is within SageMaker's 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from contract.names.batch import ANSWERS, ROUNDS, Field
from contract.names.jobs import INPUTS, ROOT, Folder, Job, Variable
from contract.names.live import Live
from contract.names.metrics import NAMESPACE, Dimension, Metric
from contract.serving import JSON_LINES
from infra.kit.asl import State
from infra.kit.job_size import MAX_PROCESSING_SECONDS
from infra.settings.environment import BatchSettings

MAX_PAYLOAD_MB = 7
_MODEL_NAME = {"ModelName.$": "States.Format('{}-m', $.job.name)"}


class Arguments(NamedTuple):
    """Of the call that makes a job: its `name`, by which it is described, and what the job is made `of`."""

    kind: str
    name: State
    of: State


@dataclass(frozen=True, kw_only=True)
class BatchArguments:
    """Paths lead to what `infra.batch.definition` keeps of an execution."""

    environment_name: str
    model: str
    image_uri: str
    split_role_arn: str
    assemble_role_arn: str
    transform_role_arn: str
    results_bucket: str
    key_arn: str
    region: str
    batch: BatchSettings

    def quota_metric(self) -> State:
        """A point of the metric that says that the account's quota has no room for a job."""
        dimensions = {Dimension.ENVIRONMENT: self.environment_name, Dimension.MODEL: self.model}
        point = {
            "MetricName": Metric.QUOTA_REACHED,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "Value": 1,
            "Unit": "Count",
        }
        return {"Namespace": NAMESPACE, "MetricData": [point]}

    def split(self) -> Arguments:
        """A processing job that reads the upload and the model."""
        name = {"ProcessingJobName.$": "States.Format('{}-s{}', $.job.name, $.job.attempt)"}
        model = {
            "InputName": Folder.MODEL,
            "S3Input": {
                "S3Uri.$": "$.package.uri",
                "LocalPath": f"{ROOT}/{INPUTS}/{Folder.MODEL}",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        job = {**name, **self._processing(Job.SPLIT, self.split_role_arn, {}), "ProcessingInputs": [model]}
        return Arguments("ProcessingJob", name, job)

    def made_model(self) -> State:
        """The live version's artifact, served by this stack's image.

        Splitting, answering and assembling so speak alike, although the version may have been trained by
        an earlier image, in which its endpoint serves it.
        """
        return {
            **_MODEL_NAME,
            "ExecutionRoleArn": self.transform_role_arn,
            "EnableNetworkIsolation": True,
            "PrimaryContainer": {
                "Image": self.image_uri,
                "ModelDataUrl.$": "$.package.uri",
                "Environment": {f"{Variable.MODEL_VERSION}.$": f"$.live.version.{Live.MODEL_VERSION}"},
            },
        }

    def model_name(self) -> State:
        """The name of that model, which is deleted."""
        return _MODEL_NAME

    def transform(self) -> Arguments:
        """A transform job that answers the parts of one round."""
        name = {"TransformJobName.$": "States.Format('{}-t{}', $.job.name, $.job.round)"}
        job = {
            **name,
            **_MODEL_NAME,
            "BatchStrategy": "SingleRecord",
            "MaxConcurrentTransforms": self.batch.concurrency,
            "MaxPayloadInMB": MAX_PAYLOAD_MB,
            "ModelClientConfig": {"InvocationsTimeoutInSeconds": 600, "InvocationsMaxRetries": 3},
            "TransformInput": {
                "ContentType.$": f"$.split.message.{Field.CONTENT_TYPE}",
                "CompressionType": "None",
                "SplitType": "None",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "ManifestFile",
                        "S3Uri.$": f"States.Format('{{}}/{ROUNDS}/{{}}', $.job.folder, $.job.round)",
                    }
                },
            },
            "TransformOutput": {
                "S3OutputPath.$": f"States.Format('{{}}/{ANSWERS}', $.job.folder)",
                "Accept": JSON_LINES,
                "AssembleWith": "None",
                "KmsKeyId": self.key_arn,
            },
            "TransformResources": {
                "InstanceType": self.batch.instance_type,
                "InstanceCount": self.batch.instances,
                "VolumeKmsKeyId": self.key_arn,
            },
        }
        return Arguments("TransformJob", name, job)

    def assemble(self) -> Arguments:
        """A processing job that makes the result of the answers so far."""
        numbered = "States.Format('{}-a{}{}', $.job.name, $.job.round, $.job.attempt)"
        name = {"ProcessingJobName.$": numbered}
        variables = {
            f"{Variable.BATCH_ROUND}.$": "States.Format('{}', $.job.round)",
            f"{Variable.MODEL_VERSION}.$": f"$.live.version.{Live.MODEL_VERSION}",
        }
        job = {**name, **self._processing(Job.ASSEMBLE, self.assemble_role_arn, variables)}
        return Arguments("ProcessingJob", name, job)

    def _processing(self, command: Job, role_arn: str, variables: State) -> State:
        return {
            "RoleArn": role_arn,
            "AppSpecification": {"ImageUri": self.image_uri, "ContainerArguments": [command]},
            "Environment": {
                # SageMaker does not promise to say where a job runs, and boto3 wants to know.
                "AWS_DEFAULT_REGION": self.region,
                f"{Variable.BATCH_FOLDER}.$": "$.job.folder",
                Variable.RESULTS_BUCKET: self.results_bucket,
                Variable.ENVIRONMENT: self.environment_name,
                Variable.MODEL: self.model,
                **variables,
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": self.batch.instance_type,
                    "VolumeSizeInGB": self.batch.volume_gib,
                    "VolumeKmsKeyId": self.key_arn,
                }
            },
            # Nobody waits for a job after its execution's time is up.
            "StoppingCondition": {
                "MaxRuntimeInSeconds": min(60 * self.batch.timeout_minutes, MAX_PROCESSING_SECONDS)
            },
        }
