"""What the service answers when it refuses: AWS's error codes with AWS's wording."""

from __future__ import annotations

from botocore.exceptions import ClientError


class ServiceError(Exception):
    """A refusal on the wire: `code` is what a client sees as the error's code, `status` is HTTP's."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def invalid(message: str) -> ServiceError:
    """The request is well formed and means something impossible."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """Only the newer operations have a code of their own for what does not exist."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """The name is taken, or the resource is busy."""
    return ServiceError("ResourceInUse", message)


def conflict(message: str) -> ServiceError:
    """The resource's state does not allow the request."""
    return ServiceError("ConflictException", message)


def access_denied(message: str) -> ServiceError:
    """The message is AWS's own, with principal, action and resource."""
    return ServiceError("AccessDeniedException", message)


def not_implemented(operation: str) -> ServiceError:
    """The local cloud never pretends: what it cannot do, it names."""
    return ServiceError(
        "NotImplemented",
        f"The local cloud does not implement {operation}. Run this against an AWS account.",
        501,
    )


def reason(error: Exception) -> str:
    """What AWS said in a client's error, without the client's preamble."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        return f"{found.get('Code', 'Unknown')}: {found.get('Message', '')}"
    return str(error)
