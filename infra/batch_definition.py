"""The state machine of the batch path, in Amazon States Language with JSONPath.

It splits an upload into requests, has SageMaker Batch Transform answer them, asks again for
those without an answer, and assembles the result. What a job found is its exit message. A job
that failed is done again, as its instance may have been at fault: what it wrote stays valid.

Why the transform is configured as it is: a part is one request (SplitType None, SingleRecord),
so that a part that fails costs no other its answer: SageMaker goes on with the others, writes
an answer for each that succeeded, and only then calls the job failed. Every round names its
parts in a manifest, which is how the next one asks for the missing ones alone. A part is at
most 6 MiB, as the model server takes it; MaxPayloadInMB is above that, and its product with
MaxConcurrentTransforms is within SageMaker's 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.layout import BATCH_PREFIX
from contract.serving import JSON_LINES, MODEL_VERSION_VARIABLE
from infra.batch_jobs import again, call_batch, ended
from infra.pipeline.size import MAX_PROCESSING_SECONDS
from infra.settings.environment import Batch
from infra.states import State, States, fail

MAX_PAYLOAD_MB = 7

_NOTHING_LEFT = ("assembled", "settled", "gone", "unscorable")


@dataclass(frozen=True, kw_only=True)
class BatchDefinition:
    """The state machine of one model. Its input is `{"batch": …}`, as `contract.layout.batch_id` names it."""

    name: str
    environment_name: str
    model: str
    image_uri: str
    split_role_arn: str
    assemble_role_arn: str
    artifacts_bucket: str
    results_bucket: str
    key_arn: str
    live_parameter: str
    batch: Batch

    def to_dict(self) -> dict[str, Any]:
        """The whole definition."""
        return {
            "Comment": f"Scores uploads too large for one call with {self.model}",
            "TimeoutSeconds": self.batch.timeout_minutes * 60,
            "StartAt": "ReadLive",
            "States": {
                **self._begin(),
                **self._split(),
                **self._transform(),
                **self._assemble(),
                "Done": {"Type": "Succeed"},
                "JobFailed": fail(
                    "JobFailed",
                    "A job failed or was stopped: its FailureReason, in the execution's history, says why",
                ),
                "PartsNotScored": fail(
                    "PartsNotScored",
                    "Parts of the upload have no answer after every round: the transform jobs' log says why",
                ),
            },
        }

    def _begin(self) -> States:
        """Which model is live, where it is, and names that no other execution uses."""
        fresh = "States.ArrayGetItem(States.StringSplit(States.UUID(), '-'), 4)"
        folder = f"s3://{self.artifacts_bucket}/{BATCH_PREFIX}{{}}/{{}}"
        return {
            "ReadLive": {
                **call_batch("ssm:getParameter", {"Name": self.live_parameter}, then="DescribePackage"),
                "ResultSelector": {"version.$": "States.StringToJson($.Parameter.Value)"},
                "ResultPath": "$.live",
            },
            "DescribePackage": {
                **call_batch(
                    "sagemaker:describeModelPackage",
                    {"ModelPackageName.$": "$.live.version.model_package_arn"},
                    then="Name",
                ),
                "ResultSelector": {"uri.$": "$.InferenceSpecification.Containers[0].ModelDataUrl"},
                "ResultPath": "$.package",
            },
            "Name": {
                "Type": "Pass",
                "Parameters": {
                    "name.$": f"States.Format('{self.name}-{{}}', {fresh})",
                    "folder.$": f"States.Format('{folder}', $.batch, $$.Execution.Name)",
                    "round": 1,
                    "attempt": 1,
                },
                "ResultPath": "$.job",
                "Next": "Split",
            },
        }

    def _split(self) -> States:
        name = {"ProcessingJobName.$": "States.Format('{}-s{}', $.job.name, $.job.attempt)"}
        model = {
            "InputName": "model",
            "S3Input": {
                "S3Uri.$": "$.package.uri",
                "LocalPath": "/opt/ml/processing/input/model",
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }
        job = {**name, **self._processing("split", self.split_role_arn, {}), "ProcessingInputs": [model]}
        return {
            **self._job("Split", "ProcessingJob", job, name, then="HowSplit", failed="MaySplitAgain"),
            **again("Split"),
            "HowSplit": {
                "Type": "Choice",
                "Choices": [
                    *_ends("$.split.said.outcome"),
                    {"Variable": "$.split.said.outcome", "StringEquals": "split", "Next": "Transform"},
                ],
                "Default": "JobFailed",
            },
        }

    def _transform(self) -> States:
        name = {"TransformJobName.$": "States.Format('{}-t{}', $.job.name, $.job.round)"}
        job = {
            **name,
            "ModelName.$": "$.live.version.model_name",
            "BatchStrategy": "SingleRecord",
            "MaxConcurrentTransforms": self.batch.concurrency,
            "MaxPayloadInMB": MAX_PAYLOAD_MB,
            "ModelClientConfig": {"InvocationsTimeoutInSeconds": 600, "InvocationsMaxRetries": 3},
            "TransformInput": {
                "ContentType.$": "$.split.said.content_type",
                "CompressionType": "None",
                "SplitType": "None",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "ManifestFile",
                        "S3Uri.$": "States.Format('{}/rounds/{}', $.job.folder, $.job.round)",
                    }
                },
            },
            "TransformOutput": {
                "S3OutputPath.$": "States.Format('{}/answers', $.job.folder)",
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
        # Also where it failed: what it did answer counts, and assembling finds what is missing.
        return self._job("Transform", "TransformJob", job, name, then="Assemble", failed="Assemble")

    def _assemble(self) -> States:
        numbered = "States.Format('{}-a{}{}', $.job.name, $.job.round, $.job.attempt)"
        name = {"ProcessingJobName.$": numbered}
        variables = {
            "MILLRACE_BATCH_ROUND.$": "States.Format('{}', $.job.round)",
            f"{MODEL_VERSION_VARIABLE}.$": "$.live.version.model_version",
        }
        job = {**name, **self._processing("assemble", self.assemble_role_arn, variables)}
        incomplete = {"Variable": "$.assemble.said.outcome", "StringEquals": "incomplete"}
        more = {"Variable": "$.job.round", "NumericLessThan": self.batch.rounds}
        return {
            **self._job(
                "Assemble", "ProcessingJob", job, name, then="IsAssembled", failed="MayAssembleAgain"
            ),
            **again("Assemble"),
            "IsAssembled": {
                "Type": "Choice",
                "Choices": [
                    *_ends("$.assemble.said.outcome"),
                    {"And": [incomplete, more], "Next": "NextRound"},
                    {**incomplete, "Next": "PartsNotScored"},
                ],
                "Default": "JobFailed",
            },
            "NextRound": {
                "Type": "Pass",
                "Parameters": {
                    "name.$": "$.job.name",
                    "folder.$": "$.job.folder",
                    "round.$": "States.MathAdd($.job.round, 1)",
                    "attempt.$": "$.job.attempt",
                },
                "ResultPath": "$.job",
                "Next": "Transform",
            },
        }

    def _job(self, title: str, kind: str, job: State, name: State, *, then: str, failed: str) -> States:
        seconds = self.batch.poll_seconds
        return ended(title, kind, job, name, then=then, failed=failed, poll_seconds=seconds)

    def _processing(self, command: str, role_arn: str, variables: State) -> State:
        return {
            "RoleArn": role_arn,
            "AppSpecification": {"ImageUri": self.image_uri, "ContainerArguments": [command]},
            "Environment": {
                "MILLRACE_BATCH_FOLDER.$": "$.job.folder",
                "MILLRACE_RESULTS_BUCKET": self.results_bucket,
                "MILLRACE_ENVIRONMENT": self.environment_name,
                "MILLRACE_MODEL": self.model,
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
            # The state machine's own time-out is what stops an execution.
            "StoppingCondition": {"MaxRuntimeInSeconds": MAX_PROCESSING_SECONDS},
        }


def _ends(variable: str) -> list[State]:
    return [{"Variable": variable, "StringEquals": outcome, "Next": "Done"} for outcome in _NOTHING_LEFT]
