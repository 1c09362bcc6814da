"""A table of unknown make, read by what reads training data and uploads, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from cli.kit.errors import CliError
from contract.reasons import REMEDIES, FileReason, Unscorable
from tabular import sources
from tabular.sources import FilePart

TITLE_LINES = 20
"""A header is looked for in so many lines."""


class NotATableError(CliError):
    """The file cannot be read as a table. The message says why, and what to do."""


@dataclass(frozen=True)
class Table:
    """A file's columns at once, its rows when asked for."""

    path: Path
    header: tuple[str, ...]
    """The names of all columns, without blanks around; of JSON Lines as they are."""
    unreadable: dict[str, str] = field(default_factory=dict)
    """Why columns are of no use, found out as rows are read."""

    @classmethod
    def open(cls, path: Path, target: str) -> Table:
        """Read the header; of several ways to cut it into names the one that has the target.

        Raises:
            NotATableError: there is no such file, or it is no table that can be trained on.
        """
        with _explained(path):
            return cls(path, tuple(sources.columns(path, [target])))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns whose name is theirs alone."""
        counts = Counter(self.header)
        return tuple(name for name in self.header if counts[name] == 1)

    @property
    def twice(self) -> tuple[str, ...]:
        """The names that several columns have."""
        return tuple(name for name, count in Counter(self.header).items() if count > 1)

    def chunks(self) -> Iterator[dict[str, list[str]]]:
        """The columns of `names` of some rows at a time, or those of them whose values have a text.

        Raises:
            NotATableError: a row has another number of fields, or is not what the file begins with.
        """
        with _explained(self.path):
            for part in self._parts():
                self._check_widths(part)
                self._note_nested(part)
                places = {
                    name: part.table.header.index(name) for name in part.table.header if name in self.names
                }
                places |= {
                    stripped: place
                    for place, name in enumerate(part.table.header)
                    if (stripped := name.strip()) in self.names and stripped not in places
                }
                yield {name: [row[place] for row in part.table.rows] for name, place in places.items()}

    def named_later(self, target: str) -> int | None:
        """The line that has the target among its fields, where the first one is a title or the like."""
        with _explained(self.path):
            first = next(self._parts(), None)
        lines = zip(first.places, first.table.rows, strict=True) if first else ()
        return next((line for line, row in islice(lines, TITLE_LINES) if target in map(str.strip, row)), None)

    def _parts(self) -> Iterator[FilePart]:
        """The file's parts without the columns whose type has no text."""
        while True:
            wanted = [name for name in self.names if name not in self.unreadable]
            before = 0
            try:
                for part in sources.parts(self.path, wanted):
                    before += len(part.table.rows)
                    yield part
            except Unscorable as why:
                if before or why.code != FileReason.UNSUPPORTED_TYPE or why.column is None:
                    raise
                remedy = REMEDIES[why.code]
                self.unreadable[why.column.strip()] = (
                    f"its type is none that training reads: {remedy[0].lower()}{remedy[1:].removesuffix('.')}"
                )
                continue
            return

    def _check_widths(self, part: FilePart) -> None:
        width = len(part.table.header)
        wrong = next(((i, len(row)) for i, row in enumerate(part.table.rows) if len(row) != width), None)
        if wrong is not None:
            place, fields = part.places[wrong[0]], wrong[1]
            raise NotATableError(
                f"{self.path} line {place} has {fields} fields and its header has {width}: "
                "quote values that hold the delimiter, or mend the line."
            )

    def _note_nested(self, part: FilePart) -> None:
        for refusal in part.table.nested:
            self.unreadable[refusal.column] = "holds lists or objects: flatten it, or write it as a string"


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except Unscorable as why:
        raise NotATableError(f"{path}: {why.message} {REMEDIES[why.code]}") from why
    except OSError as error:
        raise NotATableError(f"{path} cannot be read: {error.strerror}.") from error
