"""Bodies of requests as rows of text, whatever their content type."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from io import StringIO
from itertools import chain
from typing import Any, NamedTuple

from contract import serving
from contract.reasons import FileReason, RowReason, Unscorable
from tabular.rows import Refusal, Table

csv.field_size_limit(2**31 - 1)  # the whole body is limited already

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Plain(NamedTuple):
    """CSV that needs no reader: its header as bytes, its other lines as bytes and as text."""

    header: bytes
    lines: bytes
    text: str


def plain_csv(body: bytes) -> Plain | None:
    """A body of unquoted lines in UTF-8; None where it may be anything else, or hold no row."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    if b'"' in body or b"\r" in body:
        return None
    header, _, lines = body.partition(b"\n")
    try:
        text = lines.decode()
    except UnicodeDecodeError:
        return None
    return Plain(header, lines, text) if text and not text.isspace() else None


def unquoted(text: str) -> list[list[str]]:
    """The rows of unquoted lines: what csv.reader would do, several times as fast."""
    return [line.split(",") for line in text.split("\n") if line]


def parse(content_type: str, body: bytes, names: Sequence[str]) -> Table:
    """A body of one of `serving.CONTENT_TYPES`; `names` are the columns to take from JSON objects.

    Raises:
        Unscorable: the body is no table, or none of its objects has a column of `names`.
    """
    table = _PARSERS[content_type](_text(body), names)
    if not table.rows:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The request holds no row.", line=1)
    return table


def _text(body: bytes) -> str:
    try:
        text = body.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        at = error.start + len(body) - len(error.object)
        message = f"The byte {error.object[error.start]:#04x} at offset {at} is not UTF-8."
        raise Unscorable(code=FileReason.UNDECODABLE, message=message, byte=at) from None
    if not text or text.isspace():
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The request is empty.")
    return text


def _csv(text: str, names: Sequence[str]) -> Table:  # noqa: ARG001 - all columns; the reader picks
    if '"' in text or "\r" in text:
        reader = csv.reader(StringIO(text, newline=""), strict=True)
        try:
            rows = [fields for fields in reader if fields]
        except csv.Error as error:
            message = f"Line {reader.line_num} is not CSV: {error}."
            raise Unscorable(code=FileReason.NOT_CSV, message=message, line=reader.line_num) from None
    else:
        rows = unquoted(text)
    return Table(tuple(rows[0]), rows[1:])


def _json_lines(text: str, names: Sequence[str]) -> Table:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    return _table([_decoded(line, number) for number, line in lines], names)


def _json(text: str, names: Sequence[str]) -> Table:
    document = _decoded(text, 1)
    return _table(document if isinstance(document, list) else [document], names)


# A number stays the text it is written as: the rules for values are in one place.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def _decoded(text: str, line: int) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        line, fault = line + error.lineno - 1, error.msg
    except RecursionError:
        message = f"Line {line} nests lists and objects too deep."
        raise Unscorable(code=FileReason.TOO_DEEP, message=message, line=line) from None
    raise Unscorable(code=FileReason.NOT_JSON, message=f"Line {line} is not JSON: {fault}.", line=line)


def _table(objects: list[Any], names: Sequence[str]) -> Table:
    for number, found in enumerate(objects, start=1):
        if not isinstance(found, dict):
            message = f"Row {number} is not a JSON object of column names and values."
            raise Unscorable(code=FileReason.NOT_AN_OBJECT, message=message)
    # A key that no row has is a column that is missing; one that some rows lack is a missing value.
    present = set().union(*objects)
    header = tuple(name for name in names if name in present)
    rows = [[*map(found.get, header)] for found in objects]
    if set(map(type, chain.from_iterable(rows))) == {str}:
        return Table(header, rows)
    nested = [
        Refusal(row, name, RowReason.NESTED_VALUE, f"a JSON {_NESTED[type(value)]} is no single value", "")
        for row, values in enumerate(rows)
        for name, value in zip(header, values, strict=True)
        if type(value) in _NESTED
    ]
    return Table(header, [[_as_text(value) for value in values] for values in rows], nested)


_NESTED: dict[type, str] = {list: "list", dict: "object"}


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool) else ""


_PARSERS: dict[str, Callable[[str, Sequence[str]], Table]] = {
    serving.CSV: _csv,
    serving.JSON_LINES: _json_lines,
    serving.JSON: _json,
}
