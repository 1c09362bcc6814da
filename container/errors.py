"""Failures of jobs, each a sentence for the person who can put it right.

JobError
├── DataError        the dataset: correct the files, or the contract that they break
├── ModelCodeError   the model's own folder: its estimator or the parameters it asks for
└── PlatformError    everything around them: files, versions, this code
"""

from __future__ import annotations

from pathlib import Path

from contract.failures import Cause

LIMIT_BYTES = 1024
"""SageMaker keeps this much of a failure or exit message."""


class JobError(Exception):
    """A job cannot do its work. The text is one or more sentences for a person."""

    blames: Cause

    def __str__(self) -> str:
        return f"{self.blames}: {super().__str__()}"


class DataError(JobError):
    """The training data is not what the contract promises."""

    blames = Cause.DATA


class ModelCodeError(JobError):
    """The code or parameters in `models/<name>/` do not make a model that can be exported."""

    blames = Cause.MODEL_CODE


class PlatformError(JobError):
    """A file, a version or this code is not as it should be: not the data, not the model."""

    blames = Cause.PLATFORM


def report(failure: BaseException, file: Path | None) -> str:
    """Write a failure to the file in which SageMaker looks for it, if any, and return the text.

    The text is cut to `LIMIT_BYTES` of UTF-8, between characters.
    """
    if isinstance(failure, JobError):
        text = str(failure)
    else:
        text = str(PlatformError(f"{type(failure).__name__}: {failure} (traceback in the job's log)"))
    cut = shorten(text, LIMIT_BYTES)
    if file is not None:
        file.write_text(cut, encoding="utf-8")
    return cut


def shorten(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8 of a text; an ellipsis marks that it was cut."""
    encoded = text.encode("utf-8", errors="replace")
    if len(encoded) <= limit:
        return encoded.decode("utf-8")
    mark = "…"
    return encoded[: limit - len(mark.encode())].decode("utf-8", errors="ignore") + mark
