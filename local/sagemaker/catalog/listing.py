"""The List operations: filter, sort, page, and cut each record down to its summary."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape

from local.sagemaker import refuse
from local.sagemaker.errors import invalid
from local.sagemaker.shapes import output_shape, project
from local.sagemaker.state import Kind, Record

_PAGE = 100
"""Records of one answer when the request does not say, the most that AWS gives."""
_PAGES = {
    "ListEndpoints": 10,
    "ListHyperParameterTuningJobs": 10,
    "ListTrainingJobsForHyperParameterTuningJob": 10,
    "ListTransformJobs": 10,
}
"""Of these AWS says how many."""
_BY_NAME = ("ListHyperParameterTuningJobs", "ListTrainingJobsForHyperParameterTuningJob")
"""These are sorted by name, the others by age with the newest first, unless the request says."""


def listing(
    operation: str, kind: Kind, records: Sequence[Record], request: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer of a List operation over all records of a kind."""
    refuse.beyond(request, "CrossAccountFilterOption", "TrainingPlanArnEquals", "WarmPoolStatusEquals")
    chosen = [record for record in records if _chosen(record, kind, request)]
    by = request.get("SortBy", "Name" if operation in _BY_NAME else "CreationTime")
    order = request.get("SortOrder", "Ascending" if operation in _BY_NAME else "Descending")
    chosen.sort(key=_sort_key(by, kind), reverse=order == "Descending")
    start = _start(request.get("NextToken"))
    end = start + request.get("MaxResults", _PAGES.get(operation, _PAGE))
    answer = _summaries(operation, chosen[start:end])
    if end < len(chosen):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer


def _summaries(operation: str, records: Sequence[Record]) -> dict[str, Any]:
    members = output_shape(operation).members
    name, shape = next((name, shape) for name, shape in members.items() if isinstance(shape, ListShape))
    return {name: [project(record, shape.member) for record in records]}


def _chosen(record: Record, kind: Kind, request: Mapping[str, Any]) -> bool:
    return all(
        holds(record, kind, request[member])
        for member, holds in _FILTERS.items()
        if request.get(member) is not None
    )


_FILTERS: dict[str, Callable[[Record, Kind, Any], bool]] = {
    "NameContains": lambda record, kind, text: text in record[kind.name_member],
    "StatusEquals": lambda record, kind, status: record[kind.status_member] == status,
    "ModelApprovalStatus": lambda record, _, status: record.get("ModelApprovalStatus") == status,
    "CreationTimeAfter": lambda record, _, time: record["CreationTime"] > moment(time),
    "CreatedAfter": lambda record, _, time: record["CreationTime"] > moment(time),
    "CreationTimeBefore": lambda record, _, time: record["CreationTime"] < moment(time),
    "CreatedBefore": lambda record, _, time: record["CreationTime"] < moment(time),
    "LastModifiedTimeAfter": lambda record, _, time: record["LastModifiedTime"] > moment(time),
    "LastModifiedTimeBefore": lambda record, _, time: record["LastModifiedTime"] < moment(time),
    "PipelineNamePrefix": lambda record, _, prefix: record["PipelineName"].startswith(prefix),
}


def _sort_key(by: str, kind: Kind) -> Callable[[Record], Any]:
    member = {"Name": kind.name_member, "Status": kind.status_member}.get(by, by)
    return lambda record: (record[member], record["CreationTime"])


def _start(token: str | None) -> int:
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError as error:
        raise invalid("Invalid NextToken") from error


def moment(time: float | str) -> datetime:
    """A timestamp as it comes over the wire: seconds since 1970, or ISO 8601."""
    if isinstance(time, str):
        return datetime.fromisoformat(time).astimezone(UTC)
    return datetime.fromtimestamp(time, UTC)
