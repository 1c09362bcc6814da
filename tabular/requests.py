"""Bodies of requests in CSV as rows of text."""

from __future__ import annotations

import csv
from io import StringIO
from typing import NamedTuple

from contract.reasons import FileReason, Unscorable
from tabular.formats.jsonlines import BLANKS
from tabular.rows import TextTable

csv.field_size_limit(2**31 - 1)  # the whole body is limited already

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Plain(NamedTuple):
    """CSV that needs no reader: its header as bytes, its other lines as bytes and as text."""

    header: bytes
    lines: bytes
    text: str


def plain_csv(body: bytes) -> Plain | None:
    """Return a body of unquoted lines in UTF-8; None where it may be anything else, or hold no row."""
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
    """Return the rows of unquoted lines: what csv.reader would do, several times as fast."""
    return [line.split(",") for line in text.split("\n") if line]


def parse_csv(body: bytes) -> TextTable:
    """Parse a body of CSV, all its columns.

    Raises:
        Unscorable: it is no table with rows.
    """
    text = text_of(body)
    if '"' in text or "\r" in text:
        reader = csv.reader(StringIO(text, newline=""), strict=True)
        try:
            rows = [fields for fields in reader if fields]
        except csv.Error as error:
            message = f"Line {reader.line_num} is not CSV: {error}."
            raise Unscorable(code=FileReason.NOT_CSV, message=message, line=reader.line_num) from None
    else:
        rows = unquoted(text)
    if len(rows) < 2:
        raise Unscorable(code=FileReason.HEADER_ONLY, message="The request holds no row.", line=1)
    return TextTable(tuple(rows[0]), rows[1:])


def text_of(body: bytes) -> str:
    """Return the text of a body.

    Raises:
        Unscorable: it has none, or is not in UTF-8.
    """
    try:
        text = body.removeprefix(_BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        at = error.start + len(body) - len(error.object)
        message = f"The byte {error.object[error.start]:#04x} at offset {at} is not UTF-8."
        raise Unscorable(code=FileReason.UNDECODABLE, message=message, byte=at) from None
    if not text.strip(BLANKS):
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The request is empty.")
    return text
