"""Uploads: tables of every shape, polluted in every way, each with what must become of it.

All is drawn from one `random.Random`, which may be Hypothesis's: what it finds, it shrinks.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from contract.reasons import FileReason
from tests.fixtures.tables import MIXED_FEATURES
from tests.simulator.models import EXTRA

LARGEST = 1_000_000
"""The function's setting: more bytes are left to the batch path."""
LONG_ROWS = 2_600
"""More than two requests' worth of rows."""

GOOD: dict[str, tuple[str, ...]] = {
    "amount": ("12.5", "0", "10000", "9999", "n/a", "", "3e3"),
    "colour": ("red", "green", "?", "com,ma", 'quo"ted', "never seen", "naïve", "two\nlines", "semi;colon"),
    "opened": ("2024-03-01", "never", "2024-12-31T23:59:59+02:00", ""),
    "size": ("S", "M", "L"),
    "ratio": ("-1.5", "", "0.25"),
    "plan": ("free", "paid", ""),
    EXTRA: ("1", "", "6"),
    "id": (),
    "note": ("", "x", " blank ", "🌍", "tab\there"),
}
BAD: dict[str, tuple[str, ...]] = {
    "amount": ("twelve", "-1", "10001", "NaN", "inf", "1,000"),
    "opened": ("yesterday", "2024-13-01"),
    "size": ("XL", "", "s"),
    "ratio": ("Infinity", "--"),
    "plan": ("gold",),
    EXTRA: ("many",),
}


@dataclass(frozen=True)
class Sheet:
    """A table as its author means it. `ragged` rows have too many or too few fields, by number."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ragged: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Form:
    """How a table is written."""

    kind: str = "csv"
    delimiter: str = ","
    encoding: str = "utf-8"
    line_end: str = "\n"
    compressed: bool = False


@dataclass(frozen=True)
class Upload:
    """One file. `unreadable` are the reasons of which one is right; none where it is a table."""

    name: str
    body: bytes
    sheet: Sheet
    form: Form
    unreadable: frozenset[FileReason] = frozenset()


@dataclass
class Drawn:
    """A choice of everything, before it is bytes."""

    random: Random
    sheet: Sheet
    form: Form
    ending: str = ""
    reason: FileReason | None = None
    head: list[str] = field(default_factory=list)

    def text(self) -> str:
        write = _jsonl if self.form.kind == "jsonl" else _csv
        return write(self.sheet, self.form)


def draw_upload(random: Random, name: str, *, long: bool = False) -> Upload:
    """An upload: two in three as good as people's files are, one in three hopeless as a file."""
    sheet = _draw_sheet(random, long=long)
    form = _draw_form(random)
    drawn = Drawn(random, sheet, form, ending="." + form.kind)
    pollution = random.choice(POLLUTIONS) if random.random() < 1 / 3 and not long else None
    body = pollution(drawn) if pollution else _encoded(drawn.text(), form)
    if form.compressed and drawn.ending != ".xlsx":
        drawn.ending += ".gz"
        body = body if pollution in _IN_GZIP else gzip.compress(body, 1, mtime=0)
    reasons = frozenset() if drawn.reason is None else frozenset({drawn.reason})
    return Upload(name + drawn.ending, body, drawn.sheet, form, reasons)


def _draw_sheet(random: Random, *, long: bool) -> Sheet:
    columns = [*(feature.name for feature in MIXED_FEATURES), "id"]
    columns += [name for name in (EXTRA, "note") if random.random() < 0.8]
    random.shuffle(columns)
    count = random.randint(1_001, LONG_ROWS) if long else random.randint(1, 12)
    share = random.choice((0.0, 0.1, 0.5))
    rows = [tuple(_cell(random, name, n, share) for name in columns) for n in range(count)]
    return Sheet(tuple(columns), tuple(rows))


def _cell(random: Random, name: str, row: int, bad_share: float) -> str:
    if name == "id":
        return f"r{row}"
    return random.choice(BAD[name] if name in BAD and random.random() < bad_share else GOOD[name])


def _draw_form(random: Random) -> Form:
    encoding = random.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16"))
    compressed = random.random() < 0.25
    if random.random() < 0.3:
        return Form("jsonl", encoding=encoding, compressed=compressed)
    delimiter, line_end = random.choice(",;\t|"), random.choice(("\n", "\r\n"))
    return Form("csv", delimiter, encoding, line_end, compressed)


def _csv(sheet: Sheet, form: Form) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=form.delimiter, lineterminator=form.line_end)
    writer.writerow(sheet.columns)
    for number, row in enumerate(sheet.rows):
        # Ragged rows of even number have one field too few, the others one too many.
        writer.writerow(
            row if number not in sheet.ragged else row[:-1] if number % 2 == 0 else (*row, "surplus")
        )
    return text.getvalue()


def _jsonl(sheet: Sheet, form: Form) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + form.line_end for row in objects(sheet))


def objects(sheet: Sheet) -> list[dict[str, str]]:
    """The rows as JSON objects."""
    return [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]


def _encoded(text: str, form: Form) -> bytes:
    return text.encode(form.encoding)


Pollution = Callable[[Drawn], bytes]


def _empty(drawn: Drawn) -> bytes:
    drawn.reason = FileReason.EMPTY_FILE
    return b""


def _header_only(drawn: Drawn) -> bytes:
    drawn.reason = FileReason.EMPTY_FILE if drawn.form.kind == "jsonl" else FileReason.HEADER_ONLY
    drawn.sheet = replace(drawn.sheet, rows=())
    return _encoded(drawn.text() or "\n", drawn.form)


def _without_a_column(drawn: Drawn) -> bytes:
    drawn.reason = FileReason.MISSING_COLUMN
    gone = drawn.sheet.columns.index(drawn.random.choice(MIXED_FEATURES).name)
    _keep(drawn, lambda fields: fields[:gone] + fields[gone + 1 :])
    return _encoded(drawn.text(), drawn.form)


def _with_a_reserved_column(drawn: Drawn) -> bytes:
    drawn.reason = FileReason.RESERVED_COLUMN
    name = drawn.random.choice(("prediction", "probability", "rejected", "model_version", "probability_x"))
    columns, rows = drawn.sheet.columns, drawn.sheet.rows
    drawn.sheet = Sheet((*columns, name), tuple((*row, "1") for row in rows))
    return _encoded(drawn.text(), drawn.form)


def _with_a_column_twice(drawn: Drawn) -> bytes:
    if drawn.form.kind == "jsonl":
        # The last value of a key counts.
        first = json.dumps(drawn.sheet.columns[0])
        return _encoded(drawn.text().replace("{", f'{{{first}: "r", ', 1), drawn.form)
    drawn.reason = FileReason.DUPLICATE_COLUMN
    _keep(drawn, lambda fields: (*fields, fields[0]))
    return _encoded(drawn.text(), drawn.form)


def _with_a_byte_that_is_no_text(drawn: Drawn) -> bytes:
    drawn.reason = FileReason.UNDECODABLE
    drawn.form = replace(drawn.form, encoding="utf-8")
    return _encoded(drawn.text(), drawn.form) + b"\xff\xfe\n"


def _that_breaks_off(drawn: Drawn) -> bytes:
    text = drawn.text()
    if drawn.form.kind == "jsonl":
        drawn.reason = FileReason.NOT_JSON
        return _encoded(text.rstrip()[:-1], drawn.form)
    drawn.reason = FileReason.NOT_CSV
    return _encoded(text + '"never closed', drawn.form)


def _of_something_else(drawn: Drawn) -> bytes:
    drawn.reason, drawn.ending = FileReason.UNSUPPORTED_FORMAT, ".xlsx"
    return _encoded(drawn.text(), drawn.form)


def _that_is_large(drawn: Drawn) -> bytes:
    columns, rows = drawn.sheet.columns, drawn.sheet.rows
    drawn.sheet = Sheet((*columns, "scan"), tuple((*row, "x" * LARGEST) for row in rows[:1]))
    return _encoded(drawn.text(), drawn.form)


def _of_cut_gzip(drawn: Drawn) -> bytes:
    drawn.reason, drawn.form = FileReason.NOT_GZIP, replace(drawn.form, compressed=True)
    return gzip.compress(_encoded(drawn.text(), drawn.form), mtime=0)[:-12]


def _with_ragged_rows(drawn: Drawn) -> bytes:
    if drawn.form.kind == "csv":
        count = len(drawn.sheet.rows)
        ragged = frozenset(n for n in range(count) if drawn.random.random() < 0.3)
        drawn.sheet = replace(drawn.sheet, ragged=ragged)
    return _encoded(drawn.text(), drawn.form)


def _keep(drawn: Drawn, change: Callable[[tuple[str, ...]], tuple[Any, ...]]) -> None:
    drawn.sheet = Sheet(change(drawn.sheet.columns), tuple(map(change, drawn.sheet.rows)))


POLLUTIONS: tuple[Pollution, ...] = (
    *(_empty, _header_only, _without_a_column, _with_a_reserved_column, _with_a_column_twice),
    *(_with_a_byte_that_is_no_text, _that_breaks_off, _of_something_else, _that_is_large),
    *(_of_cut_gzip, _with_ragged_rows),
)
_IN_GZIP = (_of_cut_gzip,)
