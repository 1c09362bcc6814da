"""Hostile CSV, and hostile gzip around it."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from contract.reasons import FileReason
from tests.hostile.files import Hostile, Table, hostile


def texts(table: Table) -> Iterator[Hostile]:
    """CSV as people save it, and as nobody should."""
    count, plain = len(table.rows), table.csv()
    first = str(table.header[0])
    good = {
        **{f"delimiter {ord(d)}": table.csv(d).encode() for d in ";\t|"},
        "crlf": table.csv(end="\r\n").encode(),
        **{encoding: plain.encode(encoding) for encoding in ("utf-8-sig", "utf-16")},
        "reversed": Table(table.header[::-1], [row[::-1] for row in table.rows]).csv().encode(),
        "quoted newlines": table.with_column("note", 'two\r\nlines, "quoted"').csv().encode(),
        "wide": table.with_column("note", "w" * 100_000).csv().encode(),
        "blank lines": b"\n\n" + plain.replace("\n", "\n\n").encode(),
        "no last line end": plain.rstrip("\n").encode(),
        "formula": table.with_column('=cmd|" /C calc"!A0').csv().encode(),
        "many columns": Table(
            [*table.header, *(f"c{n}" for n in range(5_000))], [[*row, *[""] * 5_000] for row in table.rows]
        )
        .csv()
        .encode(),
    }
    for name, body in good.items():
        yield hostile("csv", f"{name}.csv", body, None, rows=count)
    for name in ("prediction", "probability", "probability_x", "rejected", "model_version"):
        yield hostile("csv", f"{name}.csv", table.with_column(name).csv(), FileReason.RESERVED_COLUMN)
    bad: dict[str, tuple[bytes, FileReason]] = {
        "empty": (b"", FileReason.EMPTY_FILE),
        "blank": (b"\n\r\n\n", FileReason.EMPTY_FILE),
        "header": (plain.partition("\n")[0].encode() + b"\r\n", FileReason.HEADER_ONLY),
        "missing": (plain.replace(first, "other", 1).encode(), FileReason.MISSING_COLUMN),
        "twice": (table.with_column(first).csv().encode(), FileReason.DUPLICATE_COLUMN),
        "twice but for blanks": (
            table.with_column("n").with_column(" n").with_column("n").csv().encode(),
            FileReason.DUPLICATE_COLUMN,
        ),
        "latin-1": (table.with_column("größe").csv().encode("latin-1"), FileReason.UNDECODABLE),
        "utf-32": (plain.encode("utf-32"), FileReason.UNDECODABLE),
        "half a character": ((plain + "é").encode()[:-1], FileReason.UNDECODABLE),
        "cut utf-16": (plain.encode("utf-16")[:-1], FileReason.UNDECODABLE),
        "open quote": (plain.encode() + b'"never closed\n' * 50, FileReason.NOT_CSV),
        "text after quote": (plain.encode() + b'"x"y,1\n', FileReason.NOT_CSV),
        "workbook": (b"PK\x03\x04" + plain.encode(), FileReason.UNSUPPORTED_FORMAT),
        "image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, FileReason.UNDECODABLE),
    }
    for name, (body, reason) in bad.items():
        yield hostile("csv", f"{name}.csv", body, reason)
    one, *others = plain.splitlines()[1:]
    ragged = [one + ",1", one.rpartition(",")[0], one + "," * 500, "lonely", *others]
    yield hostile("csv", "ragged.csv", "\n".join([plain.splitlines()[0], *ragged]), None, rows=len(ragged))
    yield hostile("csv", "nul bytes.csv", plain.replace(",", ",\0", 3))
    yield hostile("csv", "lone returns.csv", table.csv(end="\r"))


def gzips(table: Table) -> Iterator[Hostile]:
    """A CSV in gzip that is whole, cut, wrong, doubled or a bomb."""
    plain = table.csv().encode()
    packed = gzip.compress(plain, mtime=0)
    middle = len(packed) // 2
    good = {
        "plain": packed,
        "members": b"".join(gzip.compress(plain[i : i + 100], mtime=0) for i in range(0, len(plain), 100)),
        "padded": packed + b"\0" * 512,
    }
    for name, body in good.items():
        yield hostile("gzip", f"{name}.csv.gz", body, None, rows=len(table.rows))
    yield hostile("gzip", "unnamed.csv", packed, None, rows=len(table.rows))
    for at in (3, middle, len(packed) - 8, len(packed) - 1):
        yield hostile("gzip", f"cut at {at}.csv.gz", packed[:at], FileReason.NOT_GZIP)
    wrong = bytearray(packed)
    wrong[-6] ^= 1
    yield hostile("gzip", "checksum.csv.gz", bytes(wrong), FileReason.NOT_GZIP)
    yield hostile("gzip", "followed.csv.gz", packed + b"more", FileReason.NOT_GZIP)
    yield hostile("gzip", "not.csv.gz", plain, FileReason.NOT_GZIP)
    yield hostile("gzip", "twice.csv.gz", gzip.compress(packed, mtime=0), FileReason.UNSUPPORTED_FORMAT)
    yield hostile("gzip", "empty.csv.gz", b"", FileReason.EMPTY_FILE)
    yield hostile("gzip", "of nothing.csv.gz", gzip.compress(b"", mtime=0), FileReason.EMPTY_FILE)
    bomb = gzip.compress(plain + b"0" * (40 << 20), mtime=0)
    yield hostile("gzip", "bomb.csv.gz", bomb, FileReason.DECOMPRESSION_BOMB, FileReason.ROW_TOO_LARGE)
