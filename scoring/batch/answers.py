"""The answers to the parts of CSV and JSON Lines: rows of the result, with their counts behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from adapters.concatenation import Range
from adapters.errors import AlreadyExists
from adapters.job_buckets import RETRY, JobBucket
from container.errors import PlatformError
from contract.parts import PartCounts
from scoring.batch.documents import Batch, NamedPart, Split

LOOKUPS_AT_A_TIME = 8
END_BYTES = 4096
"""Of an answer, in which its counts mostly are."""
MOST_RANGES = 9000
JOINED_AT_A_TIME = 1000
"""So many answers are put together first, where all of them are more than an object may have parts."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers to all parts, in order: where the rows of each are, and what they count together."""

    batch: Batch
    split: Split
    ranges: Sequence[Range]
    rows: int
    rejected: int
    unseen: Mapping[str, int]

    @classmethod
    def of(cls, batch: Batch, split: Split) -> Answers:
        """Read the end of each.

        Raises:
            PlatformError: one is not the answer to its part.
        """
        names = {part.name: part for part in split.parts}
        with ThreadPoolExecutor(LOOKUPS_AT_A_TIME) as pool:
            ends = dict(
                zip(names, pool.map(lambda part: _read_end(batch, part), names.values()), strict=True)
            )
        counts = [ends[part.name][1] for part in split.parts]
        unseen: Counter[str] = Counter()
        for each in counts:
            unseen.update(each.unseen)
        return cls(
            batch=batch,
            split=split,
            ranges=[ends[part.name][0] for part in split.parts],
            rows=sum(each.rows for each in counts),
            rejected=sum(each.rejected for each in counts),
            unseen=unseen,
        )

    def join(self, key: str, content_type: str, most: int = MOST_RANGES) -> None:
        """Make the result of them in the results bucket. Raises AlreadyExists."""
        results, artifacts = self.batch.outcomes.results, self.batch.artifacts
        assert isinstance(results, JobBucket)
        ranges = self.ranges if len(self.ranges) <= most else list(self._joined())
        results.concatenate(key, artifacts, ranges, content_type)

    def _joined(self) -> Iterator[Range]:
        for begin in range(0, len(self.ranges), JOINED_AT_A_TIME):
            some = self.ranges[begin : begin + JOINED_AT_A_TIME]
            key = f"{self.batch.folder}joined/{begin}"
            with suppress(AlreadyExists):
                self.batch.artifacts.concatenate(key, self.batch.artifacts, some, "application/octet-stream")
            yield Range(key, 0, sum(each.size for each in some))

    def bodies(self) -> Iterator[bytes]:
        """The rows of each."""
        return (self.batch.artifacts.read_ranges([each]) for each in self.ranges)


def _read_end(batch: Batch, part: NamedPart) -> tuple[Range, PartCounts]:
    key = batch.answer_key(part.name)
    try:
        end, size = RETRY(lambda: batch.artifacts.read_end(key, END_BYTES))
        if (wanted := PartCounts.size(end)) > len(end):
            end, size = RETRY(lambda: batch.artifacts.read_end(key, wanted))
        counts = PartCounts.parse(end)
    except ValueError as error:
        raise PlatformError(f"{key} is no answer to a part: {error}") from error
    if counts.rows != part.rows:
        raise PlatformError(f"{key} has {counts.rows:,} rows of the part's {part.rows:,}")
    return Range(key, 0, size - PartCounts.size(end)), counts
