"""What a check found in a dataset, and how it is told to the person who can put it right."""

from __future__ import annotations

from dataclasses import dataclass

from contract.checks import Level


@dataclass(kw_only=True)
class Finding:
    """One thing found by a check of `contract.checks`: what it is, and what to do about it.

    `value` is what was measured, beside the check's `limit`; a check without one has neither.
    `place` is a line of `file`, or in Parquet a row, in which it was first met; `count` how many
    rows have it. `certain` is false of what too few rows show: it is only ever warned of.
    `code` tells the faults of files and values apart, as `contract.reasons` does.
    """

    check: str
    message: str
    do: str
    level: Level = "stop"
    value: float = 1.0
    limit: float | None = None
    column: str = ""
    code: str = ""
    file: str = ""
    place: int | None = None
    unit: str = "line"
    example: str = ""
    count: int = 1
    certain: bool = True

    @property
    def sentence(self) -> str:
        """Where it is, what it is, and then what to do."""
        where = f"{self.file}, {self.unit} {self.place}" if self.place else self.file
        subject = " in ".join(part for part in (self.column, where) if part)
        often = f" ({self.count:,} rows, this is the first)" if self.place and self.count > 1 else ""
        told = f"{subject}: {self.message}" if subject else self.message
        return f"{told}{often}. {self.do}."
