"""JSON Lines: an object a line.

A file has the columns that any of its objects has, and an object without one of them has no value
there. So a file is read twice: its objects are checked and their keys collected, before the first
of them is given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import IO, Any, NamedTuple

from contract.reasons import FileReason, Unscorable
from contract.serving import MAX_REQUEST_BYTES
from tabular.formats.encoding import Encoding, encoding_of, texts
from tabular.formats.records import lines
from tabular.formats.streams import Peekable

MAX_DEPTH = 64
MAX_NAMES_BYTES = 256 * 1024
"""Of all column names together: each request has them, beside a megabyte of rows."""

BLANKS = " \t\r\n"  # JSON's own; str.strip() knows more
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])')


class JsonLines(NamedTuple):
    """The keys of all objects with the line each came first on, and the objects as they are written."""

    names: Mapping[str, int]
    objects: Iterator[tuple[int, bytes]]
    encoding: Encoding


def read(stream: Peekable, scratch: IO[bytes]) -> JsonLines:
    """Check every line and keep it in `scratch`, from which the objects are read, each with its line.

    Raises:
        Unscorable: the bytes are not JSON objects, one a line.
    """
    encoding = encoding_of(stream)
    columns, last = Columns(), 0
    for number, own in objects(texts(stream, encoding), columns):
        scratch.write(b"\n" * (number - last - 1) + own + b"\n")
        last = number
    return JsonLines(columns.names, _objects(scratch), encoding)


def objects(texts: Iterator[str], columns: Columns) -> Iterator[tuple[int, bytes]]:
    """The objects of a text, each with its line and as it is written, once it is checked.

    Raises:
        Unscorable: the text is not JSON objects, one a line.
    """
    for number, line in enumerate(lines(texts, MAX_REQUEST_BYTES), start=1):
        own = line.strip(BLANKS)
        if own:
            columns.add(_members(own, number), number)
            yield number, own.encode()
    if columns.empty:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file holds no rows.")


def header(names: Iterable[str]) -> bytes:
    """An object of all these names, as a request begins with it."""
    return json.dumps(dict.fromkeys(names)).encode() + b"\n"


def _objects(scratch: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    scratch.seek(0)
    for number, line in enumerate(scratch, start=1):
        if own := line.rstrip(b"\n"):
            yield number, own


class Columns:
    """The keys of all objects so far, in the order in which they appeared."""

    def __init__(self) -> None:
        self.empty = True
        self.names: dict[str, int] = {}
        self._bytes = 0

    def add(self, members: Collection[str], line: int) -> None:
        self.empty = False
        for name in members:
            if name in self.names:
                continue
            self.names[name] = line
            self._bytes += len(json.dumps(name))
            if self._bytes > MAX_NAMES_BYTES:
                raise Unscorable(
                    code=FileReason.TOO_MANY_COLUMNS,
                    message=f"Up to line {line} the objects have {len(self.names):,} different keys, "
                    f"more than {MAX_NAMES_BYTES:,} bytes of names.",
                    line=line,
                )


# Numbers stay text: they are the model server's to read, however long they are.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


def _members(text: str, line: int) -> Collection[str]:
    """Return the keys of the object that a line holds.

    Raises:
        Unscorable: it holds none, or one that cannot be.
    """
    members: Collection[str] = checked_object(decoded(text, line, _DECODER), line)
    return members


def checked_object(value: Any, line: int) -> dict[str, Any]:
    """Return the value of a line.

    Raises:
        Unscorable: it is no object.
    """
    if not isinstance(value, dict):
        message = f"Line {line} is no JSON object of column names and values."
        raise Unscorable(code=FileReason.NOT_AN_OBJECT, message=message, line=line)
    return value


def decoded(text: str, line: int, decoder: json.JSONDecoder, depth: int = MAX_DEPTH) -> Any:
    """Decode a value that begins on a line. Of a key that an object has twice the last value counts.

    Raises:
        Unscorable: it is not JSON, or nests lists and objects deeper than `depth`.
    """
    if text.count("[") + text.count("{") > depth and _depth(text) > depth:
        message = f"Line {line} nests lists and objects more than {MAX_DEPTH} deep."
        raise Unscorable(code=FileReason.TOO_DEEP, message=message, line=line)
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        line += error.lineno - 1
        message = f"Line {line} is not JSON: {error.msg} at its character {error.colno}."
        raise Unscorable(code=FileReason.NOT_JSON, message=message, line=line) from error


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth += bool(match[1]) - bool(match[2])
        deepest = max(deepest, depth)
    return deepest
