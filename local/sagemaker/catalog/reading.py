"""Describe and List, which are the same for every kind: the record, cut to what the operation answers."""

from __future__ import annotations

from typing import Any

from local.sagemaker.catalog.listing import listing
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import (
    ENDPOINT,
    ENDPOINT_CONFIG,
    EXECUTION,
    MODEL,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    PROCESSING_JOB,
    TRAINING_JOB,
    TRANSFORM_JOB,
    TUNING_JOB,
    Kind,
)

_BOTH = (
    PROCESSING_JOB,
    TRAINING_JOB,
    TUNING_JOB,
    TRANSFORM_JOB,
    MODEL,
    ENDPOINT_CONFIG,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
)
_DESCRIBED = (*_BOTH, EXECUTION)
_LISTED = (*_BOTH, ENDPOINT)


class Reading:
    """The operations that only look."""

    def __init__(self, backend: Backend) -> None:
        self._state = backend.state

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            **{f"Describe{kind.noun}": self._describe(kind) for kind in _DESCRIBED},
            **{f"List{kind.noun}s": self._list(kind) for kind in _LISTED},
        }

    def _describe(self, kind: Kind) -> Operation:
        def describe(call: Call) -> dict[str, Any]:
            record = self._state.get(kind, call[kind.name_member])
            return project(record, output_shape(call.operation))

        return describe

    def _list(self, kind: Kind) -> Operation:
        return lambda call: listing(call.operation, kind, self._state.all(kind), call.arguments)
