"""Many small uploads through the local cloud, beside the same path with a handler that only copies."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import typer

from benchmarks.report import console, machine, ratio, table
from benchmarks.suites.laptop import Laptop, laptop, until, zipped
from cli.kit import samples
from contract import layout

ROWS = 100
UPLOADERS = 4
TIMEOUT_SECONDS = 600.0
MILLRACE, COPY = "Millrace", "a handler that copies"


class Figures(NamedTuple):
    """One burst: uploads a second until the last result, and the seconds from each put to its result."""

    rate: float
    seconds: list[float]


def uploads(
    count: Annotated[int, typer.Option(help="How many uploads through each, in all.")] = 1000,
    rounds: Annotated[int, typer.Option(help="Alternations, with as many bursts of uploads.")] = 4,
) -> None:
    """Uploads of 100 rows, put as fast as they go: uploads a second, and seconds from put to result."""
    console.print(f"{count} uploads of {ROWS} rows in {rounds} bursts. {machine()}")
    with laptop() as cloud:
        _show(measure(cloud, count // rounds, rounds))


def measure(cloud: Laptop, count: int, rounds: int) -> Mapping[str, Sequence[Figures]]:
    """Bursts of `count` uploads through both handlers in turn; the deployed one is put back."""
    found: Mapping[str, list[Figures]] = {MILLRACE: [], COPY: []}
    codes = {COPY: zipped(dict(_copy_code())), MILLRACE: cloud.deployed_code()}
    for burst in range(rounds):
        for name, code in codes.items():
            cloud.replace_code(code)
            _burst(cloud, f"warm/{burst}/{name}", 2)
            found[name].append(_burst(cloud, f"{burst}/{name}", count))
    return found


def _copy_code() -> Iterator[tuple[str, bytes]]:
    yield "lambdas/__init__.py", b""
    yield "lambdas/score_upload/__init__.py", b""
    yield "lambdas/score_upload/handler.py", Path(__file__).with_name("copy_handler.py").read_bytes()


def _burst(cloud: Laptop, folder: str, count: int) -> Figures:
    """Put some uploads into a folder and watch for their results."""
    s3 = cloud.client("s3")
    header, rows = samples.tumors()
    body = "\n".join(",".join(map(str, row)) for row in [header, *rows[:ROWS]]).encode()
    put: dict[str, float] = {}

    def upload(number: int) -> None:
        key = f"{layout.SCORE_PREFIX}{folder}/{number}.csv"
        begin = time.perf_counter()
        answer = s3.put_object(Bucket=cloud.outputs["DataBucket"], Key=key, Body=body)
        put[layout.scored_key(key, answer["VersionId"])] = begin

    seen: dict[str, float] = {}

    def all_seen() -> bool:
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=cloud.outputs["ResultsBucket"], Prefix=f"{layout.SCORED_PREFIX}{folder}/"
        )
        for page in pages:
            for found in page.get("Contents", []):
                seen.setdefault(found["Key"], time.perf_counter())
        return len(seen) == count

    begin = time.perf_counter()
    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        sent = [uploaders.submit(upload, number) for number in range(count)]
        until(all_seen, TIMEOUT_SECONDS)
    for done in sent:
        done.result()
    return Figures(count / (max(seen.values()) - begin), sorted(seen[key] - put[key] for key in put))


def _show(found: Mapping[str, Sequence[Figures]]) -> None:
    made = table("", "score_upload", "uploads/s", "p50 s", "p99 s", "uploads/s / the limit's")
    limit = [figures.rate for figures in found[COPY]]
    for name, bursts in found.items():
        made.add_row(
            name,
            f"{median(figures.rate for figures in bursts):.1f}",
            *(f"{median(_percentile(f.seconds, percent) for f in bursts):.2f}" for percent in (50, 99)),
            f"{ratio([figures.rate for figures in bursts], limit):.2f}",
        )
    console.print(made)


def _percentile(ascending: Sequence[float], percent: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * percent / 100))]
