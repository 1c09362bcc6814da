"""JSON Lines: an object a line in, the same object with the result's members out.

A file has the columns that any of its objects has, and an object without one of them has no value
there. So a file is read twice: its objects are checked and their keys collected before the first
request, each of which begins with an object of all of them, as a CSV begins with its header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import IO, Any

from contract import serving
from contract.reasons import FileReason, Unscorable
from lambdas.score_upload.answers import NumberText
from lambdas.score_upload.formats.encoding import Encoding, encoding_of, texts
from lambdas.score_upload.formats.records import lines
from lambdas.score_upload.formats.result import ResultWriter
from lambdas.score_upload.formats.streams import Peekable
from lambdas.score_upload.formats.table import Row, Table, check_name

MAX_DEPTH = 64
MAX_NAMES_BYTES = 256 * 1024
"""Of all column names together: each request has them, beside a megabyte of rows."""

_BLANKS = " \t\r\n"  # JSON's own; str.strip() knows more
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])')


def read_table(stream: Peekable, *, features: Collection[str], scratch: IO[bytes]) -> Table:  # noqa: ARG001 - named by each object
    """Check every line and keep it in `scratch`, from which the rows are read.

    Raises:
        Unscorable: the bytes are not JSON objects, one a line.
    """
    encoding = encoding_of(stream)
    columns = _Columns()
    empty = True
    for number, line in enumerate(lines(texts(stream, encoding), serving.MAX_REQUEST_BYTES), start=1):
        own = line.strip(_BLANKS)
        if own:
            empty = False
            columns.add(_members(own, number), number)
        scratch.write(own.encode() + b"\n")
    if empty:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no rows.")
    return Table(
        content_type=serving.JSON_LINES,
        header=json.dumps(dict.fromkeys(columns.names)).encode() + b"\n",
        header_answers=1,
        rows=_rows(scratch),
        result=partial(JsonLinesResult, encoding=encoding),
    )


def _rows(scratch: IO[bytes]) -> Iterator[Row]:
    scratch.seek(0)
    for number, line in enumerate(scratch, start=1):
        if own := line.rstrip(b"\n"):
            yield Row(line=number, own=own)


class _Columns:
    """The keys of all objects so far, in the order in which they appeared."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._bytes = 0

    def add(self, members: Collection[str], line: int) -> None:
        for name in members:
            if name in self.names:
                continue
            check_name(name, line)
            self.names[name] = None
            self._bytes += len(json.dumps(name))
            if self._bytes > MAX_NAMES_BYTES:
                raise Unscorable(
                    code=FileReason.TOO_MANY_COLUMNS,
                    message=f"Up to line {line} the objects have {len(self.names):,} different keys, "
                    f"more than {MAX_NAMES_BYTES:,} bytes of names.",
                    line=line,
                )


class _TwiceError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(max(names, key=names.count))
    return found


# Numbers stay text: they are the model server's to read, however long they are.
_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str)


def _members(text: str, line: int) -> Collection[str]:
    """The keys of the object that a line holds.

    Raises:
        Unscorable: it holds none, or one whose keys or depth cannot be.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        message = f"Line {line} nests lists and objects more than {MAX_DEPTH} deep."
        raise Unscorable(code=FileReason.TOO_DEEP, message=message, line=line)
    try:
        found = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        message = f"Line {line} is not JSON: {error.msg} at its character {error.pos + 1}."
        raise Unscorable(code=FileReason.NOT_JSON, message=message, line=line) from error
    except _TwiceError as twice:
        message = f"An object on line {line} has the key {twice.name!r} more than once."
        raise Unscorable(
            code=FileReason.DUPLICATE_COLUMN, message=message, column=twice.name, line=line
        ) from twice
    if not isinstance(found, dict):
        message = f"Line {line} is no JSON object of column names and values."
        raise Unscorable(code=FileReason.NOT_AN_OBJECT, message=message, line=line)
    return found


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += bool(match[1]) - bool(match[2])
        deepest = max(deepest, depth)
    return deepest


class JsonLinesResult(ResultWriter):
    """Each object as it was written, with the result's members at its end."""

    def __init__(self, file: IO[bytes], *, encoding: Encoding) -> None:
        super().__init__()
        self._file = encoding.writer(file)

    def _write_scored(self, own: bytes, cells: Sequence[str], model_version: str) -> None:
        self._line(
            own, {**dict(zip(self._columns, cells, strict=True)), serving.REJECTED: None}, model_version
        )

    def _write_rejected(self, own: bytes, rejected: str, model_version: str) -> None:
        self._line(own, {serving.PREDICTION: None, serving.REJECTED: rejected}, model_version)

    def _line(self, own: bytes, result: dict[str, str | None], model_version: str) -> None:
        members = {**result, serving.MODEL_VERSION: model_version}
        added = ", ".join(f"{_json(name)}: {_json(value)}" for name, value in members.items())
        begun = own[:-1].rstrip()
        separator = b"" if begun == b"{" else b", "
        self._file.write(b"%b%b%b}\n" % (begun, separator, added.encode()))


def _json(value: str | None) -> str:
    return value if isinstance(value, NumberText) else json.dumps(value, ensure_ascii=False)
