"""Errors of the command line: one sentence with its remedy, never a traceback."""

from __future__ import annotations

import botocore.exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from local import CloudError


class CliError(Exception):
    """An error in a sentence, with what to do about it. The command ends with exit code 1."""


def sentence(error: Exception) -> str | None:
    """Return the sentence for a person instead of this exception, or None if it is a bug of ours."""
    match error:
        case CliError() | CloudError():
            return str(error)
        case NoCredentialsError():
            return "no AWS credentials found: sign in (`aws sso login`) or set AWS_PROFILE."
        case UnauthorizedSSOTokenError() | TokenRetrievalError():
            return "your AWS sign-in has expired: run `aws sso login` again."
        case ClientError():
            details = error.response.get("Error", {})
            return f"AWS refused {error.operation_name}: {details.get('Code')}: {details.get('Message')}"
        case botocore.exceptions.ConnectionError() | HTTPClientError():
            return (
                f"AWS cannot be reached ({error}). On the laptop: is the cloud up? See `./millrace status`."
            )
        case BotoCoreError():
            return f"AWS cannot be used: {error}"
    return None


def error_code(error: ClientError) -> str:
    """The code of a refusal, such as `ResourceNotFoundException`."""
    return error.response.get("Error", {}).get("Code", "")


def error_message(error: ClientError) -> str:
    """The message of a refusal."""
    return error.response.get("Error", {}).get("Message", "")
