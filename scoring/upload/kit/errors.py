"""Why a delivery failed although its upload is not at fault. The message is tried again.

Fault
├── BadMessage     nothing in this project sends such a message: it ends in the dead-letter queue
├── BadResponse    the model server broke its own contract
└── ModelChanged   another model went live in the middle of the file: score all of it again
"""

# ruff: noqa: N818 - they are named for what is the case

from __future__ import annotations


class Fault(Exception):
    """The delivery failed; the upload has no outcome yet."""


class BadMessage(Fault):
    """A message that is not an event of S3."""


class BadResponse(Fault):
    """The model server's answer is not one object a row."""


class ModelChanged(Fault):
    """Answers of two models that do not fit in one table."""
