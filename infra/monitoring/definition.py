"""The monitor's state machine, in Amazon States Language with JSONPath.

It looks whether results have come since the last run, and runs the job `monitor` where they have. One
execution works at a time: another ends at once, as the one that runs sees what is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.names.jobs import Job, Variable
from contract.names.monitoring import INBOX_PREFIX
from infra.kit.asl import RETRY_SAGEMAKER, States, again, call, fail
from infra.kit.job_size import MAX_PROCESSING_SECONDS
from infra.settings.environment import MonitoringSettings
from infra.settings.model import ModelMonitoringSettings

_RETRY_S3 = again("S3.S3Exception", "S3.SdkClientException")
_RETRY_STATES = again("Sfn.SfnException", "Sfn.SdkClientException")


@dataclass(frozen=True, kw_only=True)
class MonitorDefinition:
    """The state machine of one model. Its input says nothing."""

    name: str
    environment_name: str
    model: str
    image_uri: str
    role_arn: str
    artifacts_bucket: str
    results_bucket: str
    packages_arn: str
    key_arn: str
    monitoring: MonitoringSettings
    model_monitoring: ModelMonitoringSettings

    def to_dict(self) -> dict[str, Any]:
        """The whole definition."""
        return {
            "Comment": f"Monitors the predictions of {self.model}",
            "TimeoutSeconds": self.monitoring.timeout_minutes * 60,
            "StartAt": "ListRunning",
            "States": {
                **self._begin(),
                **self._job(),
                "NothingNew": {"Type": "Succeed", "Comment": "No prediction was made since the last run"},
                "AlreadyRunning": {"Type": "Succeed", "Comment": "Another execution sees what is new"},
                "JobFailed": fail("JobFailed", "The job failed or was stopped: its log says why"),
            },
        }

    def _begin(self) -> States:
        running = {"StateMachineArn.$": "$$.StateMachine.Id", "StatusFilter": "RUNNING", "MaxResults": 2}
        inbox = {"Bucket": self.artifacts_bucket, "Prefix": INBOX_PREFIX, "MaxKeys": 1}
        return {
            "ListRunning": {
                **call("sfn:listExecutions", running, then="IsFirst", retry=_RETRY_STATES),
                "ResultSelector": {"count.$": "States.ArrayLength($.Executions)"},
                "ResultPath": "$.running",
            },
            "IsFirst": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.running.count", "NumericGreaterThan": 1, "Next": "AlreadyRunning"}
                ],
                "Default": "ListInbox",
            },
            "ListInbox": {
                **call("s3:listObjectsV2", inbox, then="IsAnythingNew", retry=_RETRY_S3),
                "ResultSelector": {"count.$": "$.KeyCount"},
                "ResultPath": "$.inbox",
            },
            "IsAnythingNew": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.inbox.count", "NumericGreaterThan": 0, "Next": "Name"}],
                "Default": "NothingNew",
            },
            "Name": {
                "Type": "Pass",
                "Parameters": {
                    "name.$": f"States.Format('{self.name}-m{{}}', States.ArrayGetItem("
                    "States.StringSplit(States.UUID(), '-'), 4))"
                },
                "ResultPath": "$.job",
                "Next": "Monitor",
            },
        }

    def _job(self) -> States:
        named = {"ProcessingJobName.$": "$.job.name"}
        exists = {"ErrorEquals": ["SageMaker.ResourceInUseException"], "ResultPath": "$.answer"}
        status = "$.described.status"
        return {
            "Monitor": {
                **call(
                    "sagemaker:createProcessingJob",
                    {**named, **self._processing()},
                    then="WaitForMonitor",
                    retry=RETRY_SAGEMAKER,
                ),
                "Catch": [{**exists, "Next": "WaitForMonitor"}],
            },
            "WaitForMonitor": {
                "Type": "Wait",
                "Seconds": self.monitoring.poll_seconds,
                "Next": "DescribeMonitor",
            },
            "DescribeMonitor": {
                **call(
                    "sagemaker:describeProcessingJob", named, then="HasMonitorEnded", retry=RETRY_SAGEMAKER
                ),
                "ResultSelector": {"status.$": "$.ProcessingJobStatus"},
                "ResultPath": "$.described",
            },
            "HasMonitorEnded": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": status, "StringEquals": "Completed", "Next": "Done"},
                    {"Variable": status, "StringEquals": "Failed", "Next": "JobFailed"},
                    {"Variable": status, "StringEquals": "Stopped", "Next": "JobFailed"},
                ],
                "Default": "WaitForMonitor",
            },
            "Done": {"Type": "Succeed"},
        }

    def _processing(self) -> dict[str, Any]:
        environment = {
            Variable.ENVIRONMENT: self.environment_name,
            Variable.MODEL: self.model,
            Variable.ARTIFACTS_BUCKET: self.artifacts_bucket,
            Variable.RESULTS_BUCKET: self.results_bucket,
            Variable.PACKAGES_ARN: self.packages_arn,
            Variable.EVERY_MINUTES: str(self.monitoring.every_minutes),
            Variable.FALSE_ALARMS_PER_YEAR: str(self.model_monitoring.false_alarms_per_year),
            Variable.LEAST_CHANGE: str(self.model_monitoring.least_change),
        }
        seconds = min(self.monitoring.timeout_minutes * 60, MAX_PROCESSING_SECONDS)
        return {
            "AppSpecification": {"ImageUri": self.image_uri, "ContainerArguments": [Job.MONITOR]},
            "RoleArn": self.role_arn,
            "Environment": environment,
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": self.monitoring.instance_type,
                    "VolumeSizeInGB": self.monitoring.volume_gib,
                    "VolumeKmsKeyId": self.key_arn,
                }
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": seconds},
        }
