"""The jobs of the batch path's state machine: made, waited for, and done again where they failed."""

from __future__ import annotations

from infra.batch.arguments import Arguments
from infra.kit.asl import State, States, call
from infra.kit.asl import again as retried

MAX_ATTEMPTS = 3
"""Of an execution's splitting and assembling, all told."""
_QUOTA = "SageMaker.ResourceLimitExceededException"
_QUOTA_SECONDS = 300
"""How long to wait before a job is asked for again that the account's quota has no room for."""
_RETRY = [
    {
        # Another job may be at its end.
        "ErrorEquals": [_QUOTA],
        "IntervalSeconds": 30,
        "MaxAttempts": 2,
        "BackoffRate": 2,
    },
    {
        # The SDK integration tells a service's throttling and its refusals by one name.
        "ErrorEquals": [
            f"{service}.{error}"
            for service in ("SageMaker", "Ssm")
            for error in (f"{service}Exception", "SdkClientException")
        ],
        "IntervalSeconds": 2,
        "MaxAttempts": 4,
        "BackoffRate": 2,
    },
]

_RETRY_METRIC = retried("CloudWatch.CloudWatchException", "CloudWatch.SdkClientException")


def call_batch(action: str, parameters: State, *, then: str) -> State:
    """A call that is tried again where its failure may pass by itself."""
    return call(action, parameters, then=then, retry=_RETRY)


def ended(
    title: str, arguments: Arguments, *, then: str, failed: str, poll_seconds: int, quota_metric: State
) -> States:
    """Create a job, wait until it has ended, and read its exit message into `$.<title>.message`.

    `failed` is where to go on if it failed. Where the account's quota has no room for it, `quota_metric` is
    put, which pages, and the job is asked for again until the execution's own time is up.
    """
    kind, name, job = arguments
    place = f"$.{title.lower()}"
    status = f"{place}.status"
    message = {"message.$": "States.StringToJson($.ExitMessage)"} if kind == "ProcessingJob" else {}
    exists = {"ErrorEquals": ["SageMaker.ResourceInUseException"], "ResultPath": "$.answer"}
    states = {
        # A call whose answer was lost is made again, and finds the job that it made.
        title: {
            **call_batch(f"sagemaker:create{kind}", job, then=f"WaitFor{title}"),
            "Catch": [
                {**exists, "Next": f"WaitFor{title}"},
                {"ErrorEquals": [_QUOTA], "ResultPath": "$.quota", "Next": f"{title}ReachedQuota"},
            ],
        },
        f"{title}ReachedQuota": call(
            "cloudwatch:putMetricData",
            quota_metric,
            then=f"WaitFor{title}Instances",
            retry=_RETRY_METRIC,
        ),
        f"WaitFor{title}Instances": {"Type": "Wait", "Seconds": _QUOTA_SECONDS, "Next": title},
        f"WaitFor{title}": {
            "Type": "Wait",
            "Seconds": poll_seconds,
            "Next": f"Describe{title}",
        },
        f"Describe{title}": {
            **call_batch(f"sagemaker:describe{kind}", name, then=f"Has{title}Ended"),
            "ResultSelector": {"status.$": f"$.{kind}Status"},
            "ResultPath": f"{place}_job" if message else place,
        },
    }
    if message:
        status = f"{place}_job.status"
        states[f"Read{title}"] = {
            **call_batch(f"sagemaker:describe{kind}", name, then=then),
            "ResultSelector": message,
            "ResultPath": place,
        }
    states[f"Has{title}Ended"] = {
        "Type": "Choice",
        "Choices": [
            {"Variable": status, "StringEquals": "Completed", "Next": f"Read{title}" if message else then},
            {"Variable": status, "StringEquals": "Failed", "Next": failed},
            {"Variable": status, "StringEquals": "Stopped", "Next": "JobFailed"},
        ],
        "Default": f"WaitFor{title}",
    }
    return states


def again(title: str) -> States:
    """Do a job again that failed, under another name, unless it was done often enough."""
    more = {"Variable": "$.job.attempt", "NumericLessThan": MAX_ATTEMPTS, "Next": f"{title}Again"}
    return {
        f"May{title}Again": {"Type": "Choice", "Choices": [more], "Default": "JobFailed"},
        f"{title}Again": {
            "Type": "Pass",
            "Parameters": {
                "name.$": "$.job.name",
                "folder.$": "$.job.folder",
                "round.$": "$.job.round",
                "attempt.$": "States.MathAdd($.job.attempt, 1)",
            },
            "ResultPath": "$.job",
            "Next": title,
        },
    }
