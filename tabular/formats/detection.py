"""The format of a table, by the end of its key and the beginning of its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from contract import serving
from contract.reasons import FileReason, Unscorable
from tabular.formats import compression
from tabular.formats.streams import Peekable, Readable


class Format(StrEnum):
    """The format of an upload and so of its result. The value is the extension of the result's key."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"

    @property
    def content_type(self) -> str:
        """The content type of such a result."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES = {
    Format.CSV: serving.CSV,
    Format.JSON_LINES: serving.JSON_LINES,
    Format.PARQUET: serving.PARQUET,
}


ENDINGS: dict[str, Format | None] = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".json": Format.JSON_LINES,
    ".parquet": Format.PARQUET,
    ".pq": Format.PARQUET,
    ".txt": None,
    "": None,
}
"""The format that a key's ending names; None leaves it to the content. A last `.gz` comes off first."""
GZIP_ENDING = ".gz"

_PARQUET = b"PAR1\x15"  # no text: a control character follows the magic bytes
_OTHERS = {
    compression.MAGIC: "gzip inside gzip",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an Excel workbook of the old kind",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard",
    b"\xfd7zXZ\0": "compressed with xz",
    b"BZh91AY&SY": "compressed with bzip2",
    b"ARROW1\0": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"%PDF-": "a PDF",
}
_HEAD_BYTES = 64
_MARKS_AND_BLANKS = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


class Opened(NamedTuple):
    """A table's bytes without their compression, and what they are."""

    stream: Peekable
    format: Format
    compressed: bool


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The content that a key promises; `format` is None where it says nothing."""

    format: Format | None
    compressed: bool


def opened(key: str, stream: Readable, *, max_bytes: int) -> Opened:
    """See what a table is, by its key and its first bytes; at most `max_bytes` of it are decompressed.

    Raises:
        Unscorable: it is of no format that can be read.
    """
    claim = claim_of(key)
    content = Peekable(stream)
    compressed = is_compressed(content, claim)
    if compressed:
        content = Peekable(compression.Decompressed(content, max_bytes))
    return Opened(content, format_of(content, claim), compressed)


def claim_of(key: str) -> Claim:
    """Return what the end of a key promises.

    Raises:
        Unscorable: it is the ending of something else.
    """
    name = PurePosixPath(key.lower())
    compressed = name.suffix == GZIP_ENDING
    ending = (name.with_suffix("") if compressed else name).suffix
    if ending not in ENDINGS:
        known = ", ".join(filter(None, ENDINGS))
        message = f"The name ends in {ending!r}; a table's ends in {known} or nothing, and {GZIP_ENDING}."
        raise Unscorable(code=FileReason.UNSUPPORTED_FORMAT, message=message)
    return Claim(format=ENDINGS[ending], compressed=compressed)


def is_compressed(stream: Peekable, claim: Claim) -> bool:
    """Tell if the content is gzip.

    Raises:
        Unscorable: it is not, although the key says so.
    """
    head = stream.peek(len(compression.MAGIC))
    if head == compression.MAGIC:
        return True
    if head and claim.compressed:
        message = f"The name ends in {GZIP_ENDING}, and the content does not begin as gzip does."
        raise Unscorable(code=FileReason.NOT_GZIP, message=message, byte=0)
    return False


def format_of(stream: Peekable, claim: Claim) -> Format:
    """The format of uncompressed content: what it unmistakably is, else what the key claims.

    Raises:
        Unscorable: it unmistakably is something else.
    """
    head = stream.peek(_HEAD_BYTES)
    for magic, described in _OTHERS.items():
        if head.startswith(magic):
            message = f"The content is {described}."
            raise Unscorable(code=FileReason.UNSUPPORTED_FORMAT, message=message, byte=0)
    if head.startswith(_PARQUET):
        return Format.PARQUET
    return claim.format or _guess(head)


def _guess(head: bytes) -> Format:
    return Format.JSON_LINES if head.lstrip(_MARKS_AND_BLANKS).startswith(b"{") else Format.CSV
