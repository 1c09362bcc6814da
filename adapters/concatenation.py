"""Objects made of ranges of others: some are copied by S3 as parts, some are sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MIN_PART_BYTES = 5 * 1024 * 1024
"""S3's limit on a part of an object, but for the last, and on an object of which a range is copied."""
MAX_COPY_BYTES = 1024**3
"""Of one copied part. S3 copies up to 5 GiB; of less it surely answers in time."""
MAX_PARTS = 10_000
"""S3's limit on the parts of an object."""


class Range(NamedTuple):
    """Consecutive bytes of an object."""

    key: str
    start: int
    size: int


class PlannedPart(NamedTuple):
    """A part of the new object: one range, if it is `copied`, else the bytes of some."""

    ranges: list[Range]
    copied: bool


def plan(ranges: Iterable[Range]) -> list[PlannedPart]:
    """The parts of an object of these ranges in this order: as few bytes as may be are sent."""
    parts: list[PlannedPart] = []
    sent: list[Range] = []
    for each in ranges:
        rest = each
        if sent:
            lacking = MIN_PART_BYTES - sum(part.size for part in sent)
            taken = lacking if rest.size - lacking >= MIN_PART_BYTES else rest.size
            sent.append(rest._replace(size=taken))
            rest = Range(rest.key, rest.start + taken, rest.size - taken)
            if taken >= lacking:
                parts.append(PlannedPart(sent, copied=False))
                sent = []
        while rest.size >= MIN_PART_BYTES:
            size = rest.size if rest.size < MAX_COPY_BYTES + MIN_PART_BYTES else MAX_COPY_BYTES
            parts.append(PlannedPart([rest._replace(size=size)], copied=True))
            rest = Range(rest.key, rest.start + size, rest.size - size)
        if rest.size:
            sent = [rest]
    return [*parts, PlannedPart(sent, copied=False)] if sent else parts
