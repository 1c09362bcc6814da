"""Objects in JSON as columns of values.

Two parsers give the same: a fast one, for objects whose values are as they should be, and Python's
own, for whatever that one does not take, so that it alone says what is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from contract import serving
from contract.reasons import FileReason, RowReason, Unscorable
from contract.schema import Feature
from tabular.columns import Value, written
from tabular.formats.jsonlines import BLANKS, MAX_DEPTH, checked_object, decoded
from tabular.formats.records import lines
from tabular.requests import text_of
from tabular.rows import Refusal

MOST_FEATURES = 1000
"""The fast parser looks keys up one after the other: of more, Python's is not slower."""
REMEMBERED_ORDERS = 64
ORDER_MATTERS_BYTES = 8 * 1024
"""From so large a body on, looking for keys in the order in which the client writes them saves time."""

_BLANKS = BLANKS.encode()
_NESTED: dict[type, str] = {list: "list", dict: "object"}
_UNNAMEABLE = frozenset('"\\') | frozenset(map(chr, range(0x20)))
"""Characters in a name that the fast parser does not take."""


class JsonTable(NamedTuple):
    """Column names, and the values of each column; a key that an object lacks has the value None.

    In columns of numbers a number is a float and a boolean its text. `nested` are the cells that
    hold a list or an object, whose value is left out.
    """

    header: tuple[str, ...]
    columns: Sequence[Sequence[Value]]
    nested: Sequence[Refusal] = ()


class JsonDecoder:
    """Decodes requests of one model. Safe to use from several threads."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._names = tuple(feature.name for feature in features)
        self._known = frozenset(self._names)
        self._numbers = {feature.name for feature in features if feature.type == "number"}
        self._fast = len(features) <= MOST_FEATURES and _UNNAMEABLE.isdisjoint("".join(self._names))
        self._decoders: dict[tuple[str, ...], _FastDecoder] = {}

    def decode(self, content_type: str, body: bytes) -> JsonTable:
        """Decode a body of `serving.JSON` or `serving.JSON_LINES`.

        Raises:
            Unscorable: the body is no objects, or none of them has a column of the model.
        """
        table = self._decoded_fast(content_type, body) if self._fast else None
        return table or exact_table(content_type, body, self._names, self._numbers)

    def _decoded_fast(self, content_type: str, body: bytes) -> JsonTable | None:
        try:
            if not body.isascii():
                body.decode()
            names = self._in_order(_first_keys(body)) if len(body) >= ORDER_MATTERS_BYTES else self._names
            columns = self._decoder(names).columns(content_type, body)
            if columns and _may_be_deep(body, rows=len(columns[0])):
                return None
        except (
            ValueError,
            RecursionError,
        ):  # ValueError is any fault of JSON, of its types and of its encoding
            return None
        empty = {name for name, column in zip(names, columns, strict=False) if _is_empty(column)}
        # A column without a value may be no column at all.
        absent = empty and empty.difference(_first_keys(body))
        return None if absent or not columns else JsonTable(names, columns)

    def _decoder(self, names: tuple[str, ...]) -> _FastDecoder:
        decoder = self._decoders.get(names)
        if decoder is None:
            decoder = _FastDecoder(names, self._numbers)
            if len(self._decoders) >= REMEMBERED_ORDERS:
                self._decoders.clear()
            self._decoders[names] = decoder
        return decoder

    def _in_order(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Return the columns in the order of these keys, which may be others, too."""
        first = [key for key in keys if key in self._known]
        return (*first, *(name for name in self._names if name not in keys))


class _FastDecoder:
    def __init__(self, names: Sequence[str], numbers: Collection[str]) -> None:
        number, other = float | str | None, str | int | float | bool | None
        fields = {f"_{i}": name for i, name in enumerate(names)}
        row = msgspec.defstruct(
            "Row",
            [(field, number if name in numbers else other, None) for field, name in fields.items()],
            rename=fields,
            gc=False,
        )
        self._object = msgspec.json.Decoder(row)
        self._objects = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]

    def columns(self, content_type: str, body: bytes) -> Sequence[Sequence[Value]]:
        if content_type == serving.JSON_LINES:
            rows = [self._object.decode(line) for line in body.split(b"\n") if line.strip(_BLANKS)]
        elif body.lstrip().startswith(b"["):
            rows = self._objects.decode(body)
        else:
            rows = [self._object.decode(body)]
        return [*zip(*map(msgspec.structs.astuple, rows), strict=True)]


def _first_keys(body: bytes) -> Sequence[str]:
    """Return the keys of the first object, in their order; none where it is not plain to see."""
    try:
        return [*msgspec.json.decode(body[body.index(b"{") : body.index(b"}") + 1], type=dict[str, Any])]
    except ValueError:
        return []


def _may_be_deep(body: bytes, rows: int) -> bool:
    """Return True if an object may nest more than is allowed; brackets within texts count, too."""
    if body.count(b"[") + body.count(b"{") < rows + MAX_DEPTH:
        return False
    signs = np.frombuffer(body, np.uint8)
    opens, closes = ((signs == one) | (signs == other) for one, other in (b"[{", b"]}"))
    return int((opens.astype(np.int8) - closes).cumsum(dtype=np.int32).max()) > MAX_DEPTH


def _is_empty(column: Sequence[Value]) -> bool:
    return column[0] is None and all(value is None for value in column)


def exact_table(
    content_type: str, body: bytes, names: Sequence[str], numbers: Collection[str] = ()
) -> JsonTable:
    """Decode a body by Python's own parser; `names` are the columns to take, `numbers` those of numbers.

    Raises:
        Unscorable: as `JsonDecoder.decode`.
    """
    text = text_of(body)
    if content_type == serving.JSON_LINES:
        numbered = enumerate(lines(iter((text,)), len(text)), start=1)
        rows = [(number, own) for number, line in numbered if (own := line.strip(BLANKS))]
        return _table([checked_object(_decoded(own, number), number) for number, own in rows], names, numbers)
    is_list = text.lstrip(BLANKS).startswith("[")
    document = _decoded(text, 1, depth=MAX_DEPTH + is_list)
    return _table(document if isinstance(document, list) else [document], names, numbers)


_DECODER = json.JSONDecoder(parse_constant=str)
_DECODER_OF_LONG_INTEGERS = json.JSONDecoder(parse_constant=str, parse_int=str)


def _decoded(text: str, line: int, depth: int = MAX_DEPTH) -> Any:
    try:
        return decoded(text, line, _DECODER, depth)
    except ValueError:  # Python makes no integer of so many digits
        return decoded(text, line, _DECODER_OF_LONG_INTEGERS, depth)


def _table(objects: list[Any], names: Sequence[str], numbers: Collection[str]) -> JsonTable:
    for number, item in enumerate(objects, start=1):
        if not isinstance(item, dict):
            message = f"Row {number} is not a JSON object of column names and values."
            raise Unscorable(code=FileReason.NOT_AN_OBJECT, message=message)
    if not objects:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The request holds no row.", line=1)
    # A key that no row has is a column that is missing; one that some rows lack is a missing value.
    present = set().union(*objects)
    header = tuple(name for name in names if name in present)
    columns: list[list[Value]] = []
    nested: list[Refusal] = []
    for name in header:
        values = [item.get(name) for item in objects]
        nested += [
            Refusal(
                row, name, RowReason.NESTED_VALUE, f"a JSON {_NESTED[type(value)]} is no single value", ""
            )
            for row, value in enumerate(values)
            if type(value) in _NESTED
        ]
        single = _NUMBER_OF if name in numbers else _VALUE_OF
        columns.append([single[type(value)](value) for value in values])
    return JsonTable(header, columns, nested)


def _same(value: Value) -> Value:
    return value


def _nothing(_: object) -> None:
    return None


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


_VALUE_OF: Mapping[type, Callable[[Any], Value]] = {
    **dict.fromkeys((str, int, float, type(None)), _same),
    bool: written,  # which is no number, although Python takes it for one
    **dict.fromkeys(_NESTED, _nothing),
}
_NUMBER_OF = {**_VALUE_OF, int: _float}
