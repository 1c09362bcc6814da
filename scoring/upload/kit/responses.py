"""The model server's answers, checked: one a row, or a fault; never a wrong result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, NoReturn

from adapters.errors import ModelRefused
from adapters.ports import Response
from contract import serving
from contract.reasons import FileReason, Rejection, Unscorable, rejected_text
from scoring.upload.kit.errors import BadResponse


class NumberText(str):
    """A number as the model server wrote it."""

    __slots__ = ()


@dataclass(frozen=True, kw_only=True)
class RowResponse:
    """One row's prediction by result column, or why there is none. `unseen` as in `contract.serving`.

    Of a rejected row the cells are empty; there are none from a model server of an earlier version.
    """

    cells: Mapping[str, str]
    rejected: str = ""
    unseen: Sequence[str] = ()


class Counts(NamedTuple):
    """Rows with a prediction, rows with a reason, and by column how many categories were unseen."""

    scored: int
    rejected: int
    unseen: Mapping[str, int]


def row_responses(answer: Response, rows: int) -> list[RowResponse]:
    """The answers to a request of this many rows, in order.

    Raises:
        BadResponse: they are not that many, not as `contract.serving` says, or name no model version.
    """
    if not answer.model_version:
        raise BadResponse("the model server's answer names no model version")
    try:
        lines = [_DECODER.decode(line.decode()) for line in answer.body.splitlines()]
    except ValueError as error:
        raise BadResponse("the model server's answer is not JSON Lines") from error
    if len(lines) != rows:
        raise BadResponse(f"the model server gave {len(lines)} answers to {rows} rows")
    return [_row_answer(line) for line in lines]


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


_NOT_CELLS = (serving.REJECTED, serving.MODEL_VERSION)
_DECODER = json.JSONDecoder(parse_float=NumberText, parse_int=NumberText, parse_constant=_no_number)


def _row_answer(line: Any) -> RowResponse:
    match line:
        case {serving.REJECTED: [_, *_] as reasons}:
            columns = [name for name in line if name != serving.REJECTED]
            if all(line[name] is None and _is_column(name) for name in columns):
                rejected = rejected_text(map(_reason, reasons))
                return RowResponse(cells=dict.fromkeys(columns, ""), rejected=rejected)
        case {serving.PREDICTION: prediction}:
            unseen = line.pop(serving.UNSEEN, [])
            are_columns = isinstance(unseen, list) and all(type(name) is str for name in unseen)
            if are_columns and all(map(_is_cell, line.items())):
                return RowResponse(cells={serving.PREDICTION: prediction, **line}, unseen=unseen)
    raise BadResponse("an answer of the model server is neither a prediction nor a list of reasons")


def _is_cell(item: tuple[str, Any]) -> bool:
    name, value = item
    return isinstance(value, str) and _is_column(name)


def _is_column(name: str) -> bool:
    return serving.is_result_column(name) and name not in _NOT_CELLS


def _reason(reason: Any) -> Mapping[str, Any]:
    match reason:
        case {"code": str(), "message": str()}:
            return dict(reason)
    raise BadResponse("a reason in the model server's answer lacks its code or message")


def rejected_row(rejection: Rejection, response: RowResponse) -> RowResponse:
    """The response to a row that must not be scored, in the stead of the one that the model gave."""
    return RowResponse(cells=dict.fromkeys(response.cells, ""), rejected=rejected_text([asdict(rejection)]))


def unscorable_of(refusal: ModelRefused) -> Unscorable | None:
    """What the model server's 400 says about the upload; `None` if the request was at fault.

    A byte it names is one of the request, not of the upload, and so left out.
    """
    if refusal.status != 400:
        return None
    try:
        said = json.loads(refusal.body)
        return Unscorable(
            code=FileReason(said["code"]),
            message=str(said["message"]),
            column=said.get("column"),
            line=said.get("line"),
        )
    except (ValueError, TypeError, LookupError, AttributeError):
        return None
