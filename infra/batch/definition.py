"""The state machine of the batch path, in Amazon States Language with JSONPath.

It splits an upload into requests, has SageMaker Batch Transform answer them, asks again for
those without an answer, and assembles the result. What a job found is its exit message. A job
that failed is done again, as its instance may have been at fault: what it wrote stays valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.layout import BATCH_PREFIX
from contract.names.batch import INPUT, NOTHING_LEFT, Field, Outcome
from contract.names.live import Live
from infra.batch.arguments import Arguments, BatchArguments
from infra.batch.jobs import again, call_batch, ended
from infra.kit.asl import State, States, fail, made_once


@dataclass(frozen=True, kw_only=True)
class BatchDefinition:
    """The state machine of one model. Its input is `{"batch": …}`, as `contract.layout.batch_id` names it."""

    name: str
    artifacts_bucket: str
    live_parameter: str
    arguments: BatchArguments

    def to_dict(self) -> dict[str, Any]:
        """The whole definition."""
        return {
            "Comment": f"Scores uploads too large for one call with {self.arguments.model}",
            "TimeoutSeconds": self.arguments.batch.timeout_minutes * 60,
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
        """Read the live model and its package, and make names that no other execution uses."""
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
                    {"ModelPackageName.$": f"$.live.version.{Live.MODEL_PACKAGE_ARN}"},
                    then="Name",
                ),
                "ResultSelector": {"uri.$": "$.InferenceSpecification.Containers[0].ModelDataUrl"},
                "ResultPath": "$.package",
            },
            "Name": {
                "Type": "Pass",
                "Parameters": {
                    "name.$": f"States.Format('{self.name}-{{}}', {fresh})",
                    "folder.$": f"States.Format('{folder}', $.{INPUT}, $$.Execution.Name)",
                    "round": 1,
                    "attempt": 1,
                },
                "ResultPath": "$.job",
                "Next": "Split",
            },
        }

    def _split(self) -> States:
        return {
            **self._job("Split", self.arguments.split(), then="HowSplit", failed="MaySplitAgain"),
            **again("Split"),
            "HowSplit": {
                "Type": "Choice",
                "Choices": [
                    *_ends(f"$.split.message.{Field.OUTCOME}"),
                    {
                        "Variable": f"$.split.message.{Field.OUTCOME}",
                        "StringEquals": Outcome.SPLIT,
                        "Next": "CreateModel",
                    },
                ],
                "Default": "JobFailed",
            },
        }

    def _transform(self) -> States:
        create = call_batch("sagemaker:createModel", self.arguments.made_model(), then="Transform")
        return {
            **made_once("CreateModel", create),
            # Also where it failed: what it did answer counts, and assembling finds what is missing.
            **self._job("Transform", self.arguments.transform(), then="Assemble", failed="Assemble"),
        }

    def _assemble(self) -> States:
        incomplete = {"Variable": f"$.assemble.message.{Field.OUTCOME}", "StringEquals": Outcome.INCOMPLETE}
        more = {"Variable": "$.job.round", "NumericLessThan": self.arguments.batch.rounds}
        return {
            **self._job("Assemble", self.arguments.assemble(), then="IsAssembled", failed="MayAssembleAgain"),
            **again("Assemble"),
            "IsAssembled": {
                "Type": "Choice",
                "Choices": [
                    *_ends(f"$.assemble.message.{Field.OUTCOME}", then="DeleteModel"),
                    {"And": [incomplete, more], "Next": "NextRound"},
                    {**incomplete, "Next": "PartsNotScored"},
                ],
                "Default": "JobFailed",
            },
            # Nothing depends on it: a model that is left over serves nobody and costs nothing.
            "DeleteModel": {
                **call_batch("sagemaker:deleteModel", self.arguments.model_name(), then="Done"),
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.answer", "Next": "Done"}],
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

    def _job(self, title: str, arguments: Arguments, *, then: str, failed: str) -> States:
        seconds = self.arguments.batch.poll_seconds
        return ended(
            title,
            arguments,
            then=then,
            failed=failed,
            poll_seconds=seconds,
            quota_metric=self.arguments.quota_metric(),
        )


def _ends(variable: str, then: str = "Done") -> list[State]:
    return [{"Variable": variable, "StringEquals": outcome, "Next": then} for outcome in NOTHING_LEFT]
