"""One upload of a gigabyte, by the batch path of the local cloud: how long, and in how much memory."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Annotated, Any

import typer

import local
from benchmarks.memory import watched
from benchmarks.report import console, judged, machine, table
from benchmarks.suites.laptop import Laptop, laptop, until
from cli.kit import samples
from contract import layout

KEY = f"{layout.SCORE_PREFIX}large/table.csv"
PART_BYTES = 16 * 1024 * 1024
MOST_BYTES = 500 * 10**6
"""What no process may take."""
TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Run:
    """One upload: its size, when each thing had happened (seconds from the first), and by process
    the peak memory in bytes and the time on a processor in seconds.
    """

    rows: int
    bytes: int
    put: float
    scored: float
    peaks: Mapping[str, int]
    worked: Mapping[str, float]


def large(
    megabytes: Annotated[int, typer.Option(help="Size of the CSV, in 10^6 bytes.")] = 1000,
) -> None:
    """One large CSV through the batch path: seconds, rows in order, and the peak memory of every process."""
    console.print(f"A CSV of {megabytes:,} MB. {machine()}")
    with laptop() as cloud:
        _show(measure(cloud, megabytes * 10**6))


def measure(cloud: Laptop, size: int) -> Run:
    """Upload a table of about `size` bytes and watch it being scored.

    Raises:
        AssertionError: the result has other rows, or another order.
    """
    s3 = cloud.client("s3")
    info = local.status(cloud.root / ".millrace" / f"cloud-{cloud.port}")
    assert info is not None
    with watched(info.pid) as peaks:
        begin = time.perf_counter()
        version, rows, written = _put(s3, cloud.outputs["DataBucket"], size)
        put = time.perf_counter() - begin
        result = {
            "Bucket": cloud.outputs["ResultsBucket"],
            "Prefix": layout.scored_key(KEY, version),
        }
        until(lambda: s3.list_objects_v2(**result).get("Contents"), TIMEOUT_SECONDS)
        scored = time.perf_counter() - begin
    _check(s3.get_object(Bucket=result["Bucket"], Key=result["Prefix"])["Body"], rows)
    return Run(rows=rows, bytes=written, put=put, scored=scored, peaks=peaks.bytes, worked=peaks.seconds)


def _lines() -> Iterator[bytes]:
    """A table without an end, of which no two rows are alike."""
    header, rows = samples.tumors()
    yield ",".join(["scan", *header[:-1]]).encode() + b"\n"
    ends = [",".join(map(str, row[:-1])).encode() for row in rows]
    number = 0
    while True:
        for end in ends:
            yield b"%d,%b\n" % (number, end)
            number += 1


def _put(s3: Any, bucket: str, size: int) -> tuple[str, int, int]:
    """Upload in parts; the version, and how many rows and bytes it has."""
    where = {"Bucket": bucket, "Key": KEY}
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts: list[dict[str, Any]] = []
    lines, part, rows, written = _lines(), io.BytesIO(), -1, 0
    while written < size:
        written += part.write(next(lines))
        rows += 1
        if part.tell() >= PART_BYTES or written >= size:
            number = len(parts) + 1
            body = part.getvalue()
            answer = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
            part = io.BytesIO()
    done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    return done["VersionId"], rows, written


def _check(result: IO[bytes], rows: int) -> None:
    expected = _lines()
    next(expected)
    found = csv.reader(io.TextIOWrapper(io.BufferedReader(_Raw(result), 1024 * 1024), "utf-8", newline=""))
    header = next(found)
    width = header.index("prediction")
    count = 0
    for row, line in zip(found, expected, strict=False):
        assert ",".join(row[:width]).encode() + b"\n" == line, f"row {count} is another"
        assert row[width], f"row {count} has no prediction"
        count += 1
    assert count == rows, f"{count} rows came back of {rows}"


class _Raw(io.RawIOBase):
    """botocore's body, as a file."""

    def __init__(self, body: IO[bytes]) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _show(run: Run) -> None:
    seconds = run.scored - run.put
    console.print(
        f"{run.rows:,} rows, {run.bytes:,} bytes: put in {run.put:.0f} s, scored {seconds:.0f} s later "
        f"({run.rows / seconds:,.0f} rows/s). Rows and order are those of the upload."
    )
    made = table("Each process", "process", "peak MB", "processor s")
    for name, peak in run.peaks.items():
        made.add_row(
            name, judged(f"{peak / 1e6:,.0f}", peak <= MOST_BYTES), f"{run.worked.get(name, 0):,.0f}"
        )
    console.print(made)
