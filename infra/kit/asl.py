"""Amazon States Language, as far as this project's state machines share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

State = dict[str, Any]
States = dict[str, State]


def call(action: str, parameters: State, *, then: str, retry: Sequence[State]) -> State:
    """One call of the AWS SDK, such as `sagemaker:createModel`; its response is `$.answer`."""
    return {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Parameters": parameters,
        "ResultPath": "$.answer",  # beside what is known; CDK drops a null, which would discard it
        **({"Retry": list(retry)} if retry else {}),
        "Next": then,
    }


def again(*errors: str) -> list[State]:
    """Up to four more attempts after these errors, ever more slowly."""
    return [{"ErrorEquals": list(errors), "IntervalSeconds": 2, "MaxAttempts": 4, "BackoffRate": 2}]


def fail(error: str, cause: str) -> State:
    """The execution ends as failed."""
    return {"Type": "Fail", "Error": error, "Cause": cause}


def made_once(title: str, state: State) -> States:
    """A call that makes what has a name of this execution's own; what is there already, it made itself.

    So a call whose response was lost, and that is made again, goes on.
    """
    why, refused = f"WhyNot{title}", f"{title}Refused"
    exists = {"Variable": "$.error.Cause", "StringMatches": "*already existing*", "Next": state["Next"]}
    caught = {"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.error", "Next": why}
    return {
        title: {**state, "Catch": [caught]},
        why: {"Type": "Choice", "Choices": [exists], "Default": refused},
        refused: {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }


# The SDK integration has one name for SageMaker's throttling and its refusals, and another for a call
# without a response.
RETRY_SAGEMAKER = again(
    "SageMaker.SageMakerException", "SageMaker.SdkClientException", "SageMaker.ThrottlingException"
)

_PASSING = ("*Rate exceeded*", "*Status Code: 5*")


def passing(then: str, *others: str) -> list[State]:
    """Choices that go to `then` where a call's `$.error` passes by itself, or has another of these causes."""
    causes = [{"Variable": "$.error.Cause", "StringMatches": cause} for cause in (*others, *_PASSING)]
    no_answer = {"Variable": "$.error.Error", "StringMatches": "*.SdkClientException"}
    return [{**condition, "Next": then} for condition in (*causes, no_answer)]


OVERTAKEN: State = {
    "Type": "Succeed",
    "Comment": "A later approval is live, or another execution released this one",
}
"""The end of a release that has nothing left to do."""
