"""What the jobs of the batch path and the model server say to each other.

A part is a request of content type `PART`: a line of JSON that says what it is (`Part`), and then rows
of an upload in UTF-8, each with a line feed at its end. The answer is the rows of the
upload's result as they stand in it, in its encoding and compressed as it is, and behind them what they
count (`PartCounts`): JSON, and its length in eight hexadecimal digits. So results are put together of
answers without being read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Self

PART = "application/vnd.millrace.part"
MAX_PART_BYTES = 6_750_000
"""Of a request: as many bytes of rows as InvokeEndpoint takes, and what a part says of itself."""

_LENGTH_DIGITS = 8


@dataclass(frozen=True, kw_only=True)
class Part:
    """What rows are part of.

    `format` is `csv`, with the record `header`, fields separated by `delimiter`, and the first of the
    rows on `line`; or `jsonl`. `codec` is Python's name of the result's encoding. `opening` is the text
    that the result begins with, before its header; None in every part but the first.
    """

    format: str
    codec: str
    compressed: bool
    opening: str | None = None
    header: str = ""
    delimiter: str = ","
    line: int = 1

    def framed(self, rows: bytes) -> bytes:
        """The part as a request."""
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n" + rows

    @classmethod
    def parse(cls, body: bytes) -> tuple[Self, bytes]:
        """What a request says it is, and its rows.

        Raises:
            ValueError: it is no part.
        """
        document, _, rows = body.partition(b"\n")
        try:
            return cls(**json.loads(document)), rows
        except TypeError as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True, kw_only=True)
class PartCounts:
    """How many rows an answer has, how many of those are rejected, and by column its unseen categories."""

    rows: int
    rejected: int
    unseen: Mapping[str, int] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The end of an answer."""
        document = json.dumps(asdict(self)).encode()
        return b"%b%0*x" % (document, _LENGTH_DIGITS, len(document))

    @staticmethod
    def size(end: bytes) -> int:
        """How many bytes the counts at the end of an answer take.

        Raises:
            ValueError: it is no end of an answer.
        """
        return int(end[-_LENGTH_DIGITS:], 16) + _LENGTH_DIGITS

    @classmethod
    def parse(cls, end: bytes) -> Self:
        """The counts at the end of an answer.

        Raises:
            ValueError: there are none, or not all of them.
        """
        try:
            return cls(**json.loads(end[-cls.size(end) : -_LENGTH_DIGITS]))
        except TypeError as error:
            raise ValueError(str(error)) from error
