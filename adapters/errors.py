"""Errors of calls to AWS, as far as callers distinguish them.

AwsError             a call failed; retrying it at once would not help
├── Transient        may succeed within seconds: throttling, 5xx, a time-out, a conflicting write
├── AccessDenied     IAM, a policy or the state of a KMS key refused; somebody must put it right
├── NotFound         the object, version, endpoint or package is not there
├── AlreadyExists    a conditional write found that the object has been written
└── ModelRefused     the model server answered 4xx: the request, not the service, is at fault

OutOfTime            too little time is left for a call, or a call hangs: no service said anything
"""

# ruff: noqa: N818 - they are named for what is the case, as AWS names its own

from __future__ import annotations


class AwsError(Exception):
    """A call to AWS failed. `operation` is its name, `code` AWS's code for the failure."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code


class Transient(AwsError):
    """The same call may succeed within seconds."""


class AccessDenied(AwsError):
    """The function's role, a policy, or a key that is disabled or gone does not allow the call."""


class NotFound(AwsError):
    """The thing that the call names does not exist, or not any more."""


class AlreadyExists(AwsError):
    """The object of a conditional write exists: somebody wrote it first."""


class ModelRefused(AwsError):
    """The model server answered with a 4xx. `status` is that, `body` what it said."""

    def __init__(self, operation: str, status: int, body: str) -> None:
        super().__init__(operation, "ModelError", f"the model server answered {status}")
        self.status = status
        self.body = body


class OutOfTime(Exception):
    """Too little time is left to go on."""
