"""A burst of uploads under training/ starts one run, after a quiet time; a stream starts one each longest wait."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.documents.dataset import Manifest
from contract.layout import LAST_RUN_KEY, manifest_key
from lambdas.start_training.snapshot import pin
from tests.fixtures.uploads import event, message
from tests.lambdas.test_start_training import Lab

QUIET = 300
LONGEST = 900
LATE = 60
"""The most that an event comes after its upload."""
START = 1_000_000.0


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An upload under a key at a time, how late its event comes and how long it took, in seconds."""

    at: int
    key: int
    late: int
    took: int = 0

    @property
    def began(self) -> int:
        """By which S3 dates it."""
        return self.at - self.took


@dataclass
class Day:
    """Time that passes over a lab and its queue: what is delayed is delivered again when its time has come."""

    lab: Lab = field(default_factory=lambda: Lab(quiet_seconds=QUIET, longest_seconds=LONGEST, now=START))
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    """When each run was started."""

    def upload(self, at: float, key: str, body: bytes, *, took: float = 0) -> dict[str, Any]:
        """Put an object, in parts if it took seconds; its message."""
        version = self.lab.data.put(key, body)
        # S3 dates an object by the time at which its upload in parts began.
        self.lab.data.modified[f"{key}@{version}"] = START + at - took
        time = datetime.fromtimestamp(START + at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return message(event(key, version, time=time), name=f"{key}@{version}")

    def deliver(self, at: float, *messages: dict[str, Any]) -> None:
        """Hand messages over; those that fail wait for as long as they were told to."""
        self.lab.now = START + at
        before = len(self.lab.pipeline.runs)
        told = self.lab.ask({"Records": list(messages)})
        self.starts += [at] * (len(self.lab.pipeline.runs) - before)
        for failed in told["batchItemFailures"]:
            name = failed["itemIdentifier"]
            self.waiting[name] = next(m for m in messages if m["messageId"] == name)
            self.due[name] = at + self.lab.queue.delays.pop(f"receipt-{name}", 0)

    def pass_until(self, at: float) -> None:
        """Deliver again what is due until then."""
        while self.due and min(self.due.values()) <= at:
            name = min(self.due, key=self.due.__getitem__)
            self.deliver(self.due.pop(name), self.waiting.pop(name))

    def live(self, uploads: Sequence[Upload], *, doubled: bool = False) -> None:
        """Let uploads come in, each with an event or two, until nothing is left to be done."""
        happens = [(one.at, 0, n) for n, one in enumerate(uploads)]
        happens += [(one.at + one.late, 1, n) for n, one in enumerate(uploads)] * (2 if doubled else 1)
        messages = {}
        for at, what, n in sorted(happens):
            self.pass_until(at)
            if what == 0:
                messages[n] = self.upload(
                    at, f"training/{uploads[n].key}.csv", b"x\n%d\n" % n, took=uploads[n].took
                )
            else:
                self.deliver(at, messages[n])
        self.pass_until(10_000_000)

    def trained_on(self) -> list[set[str]]:
        """The keys of each run's dataset."""
        versions = [run["DatasetVersion"] for run in self.lab.pipeline.runs.values()]
        manifests = [Manifest.from_json(self.lab.data.read(manifest_key(version))) for version in versions]
        return [{each.key for each in manifest.objects} for manifest in manifests]


def test_an_upload_waits_for_the_quiet_time_and_starts_a_run() -> None:
    day = Day()
    day.deliver(1, day.upload(0, "training/a.csv", b"x\n1\n"))
    assert day.due == {"training/a.csv@v0": QUIET}
    day.pass_until(QUIET - 1)
    assert day.trained_on() == []
    day.pass_until(QUIET)
    assert day.trained_on() == [{"training/a.csv"}]
    assert not day.due


def test_a_burst_is_one_run_and_no_message_is_left() -> None:
    day = Day()
    day.live([Upload(at=n * 30, key=n, late=1) for n in range(20)])
    assert day.trained_on() == [{f"training/{n}.csv" for n in range(20)}]
    assert day.starts == [19 * 30 + QUIET]
    assert not day.due


@pytest.mark.parametrize("late", [0, LATE])
def test_a_stream_is_a_run_each_longest_wait(late: int) -> None:
    """Whose events may all come so late that others have followed."""
    day = Day()
    day.live([Upload(at=n * 10, key=0, late=late) for n in range(366)])
    assert len(day.starts) == 5
    assert all(LONGEST <= later - start <= LONGEST + 10 for start, later in pairwise(day.starts[:-1]))
    assert day.starts[-1] == 3650 + QUIET


def test_a_stream_of_the_same_bytes_is_one_run_and_looked_at_each_longest_wait() -> None:
    day = Day()
    looks = []
    for at in range(0, 3600, 10):
        day.pass_until(at)
        day.deliver(at, day.upload(at, "training/a.csv", b"x\n1\n"))
        looks.append(day.lab.artifacts.objects.get(LAST_RUN_KEY, [b""])[-1])
    assert len(day.starts) == 1
    assert len(set(looks)) == 1 + 3


def test_a_run_that_a_person_starts_counts() -> None:
    day = Day()
    uploads = [Upload(at=n * 10, key=0, late=0) for n in range(120)]
    for each in uploads:
        day.pass_until(each.at)
        day.deliver(each.at, day.upload(each.at, "training/a.csv", b"x\n%d\n" % each.at))
        if each.at == 500:
            day.lab.ask({})
    assert day.starts == []
    day.pass_until(10_000)
    assert day.starts == [500 + LONGEST]


def test_two_bursts_are_two_runs() -> None:
    day = Day()
    for at in (0, 10, QUIET + 100, QUIET + 110):
        day.pass_until(at)
        day.deliver(at, day.upload(at, f"training/{at}.csv", b"x\n%d\n" % at))
    day.pass_until(10_000)
    assert [len(keys) for keys in day.trained_on()] == [2, 4]


def test_a_long_burst_costs_no_message_its_tries() -> None:
    day = Day()
    first = day.upload(0, "training/a.csv", b"x\n1\n")
    day.deliver(0, first)
    day.upload(200, "training/b.csv", b"x\n2\n")
    day.pass_until(QUIET)
    assert not day.due, "the later upload's own message looks on"


def test_an_upload_in_parts_that_ends_after_a_later_one_is_trained_on() -> None:
    day = Day()
    day.deliver(500, day.upload(500, "training/small.csv", b"x\n1\n"))
    day.pass_until(1000)
    day.deliver(1800, day.upload(1800, "training/large.csv", b"x\n2\n", took=1790))
    day.pass_until(10_000)
    assert day.trained_on() == [{"training/small.csv"}, {"training/small.csv", "training/large.csv"}]
    assert not day.due


def test_an_upload_in_parts_that_ends_after_an_overdue_run_is_trained_on() -> None:
    day = Day()
    uploads = [Upload(at=n * 100, key=n, late=0) for n in range(10)]
    day.live([*uploads, Upload(at=950, key=99, late=0, took=940)])
    assert day.starts == [LONGEST, 900 + QUIET]
    assert "training/99.csv" in day.trained_on()[-1]


def test_an_upload_in_parts_waits_for_the_quiet_time_from_its_end() -> None:
    day = Day()
    day.deliver(1800, day.upload(1800, "training/large.csv", b"x\n2\n", took=1790))
    assert day.due == {"training/large.csv@v0": 1800 + QUIET}
    day.deliver(1900, day.upload(1900, "training/next.csv", b"x\n3\n"))
    day.pass_until(10_000)
    assert day.trained_on() == [{"training/large.csv", "training/next.csv"}]


def test_without_a_quiet_time_an_upload_of_the_same_second_is_trained_on() -> None:
    day = Day(lab=Lab(quiet_seconds=0, now=START))
    day.deliver(0, day.upload(0, "training/b.csv", b"x\n1\n"))
    day.deliver(0, day.upload(0, "training/a.csv", b"x\n2\n"))
    assert day.trained_on() == [{"training/b.csv"}, {"training/a.csv", "training/b.csv"}]


def test_the_last_upload_taken_back_leaves_the_others_a_run() -> None:
    day = Day()
    day.deliver(0, day.upload(0, "training/a.csv", b"x\n1\n"))
    late = day.upload(10, "training/_SUCCESS", b"")
    day.deliver(10, late)
    day.pass_until(10_000)
    assert day.trained_on() == [{"training/a.csv"}]


def test_a_run_that_cannot_be_started_is_tried_again() -> None:
    day = Day()
    day.lab.pipeline.failures = 2
    day.deliver(0, day.upload(0, "training/a.csv", b"x\n1\n"))
    day.pass_until(10_000)
    assert len(day.trained_on()) == 1
    assert not day.due


def test_a_message_that_names_no_upload_looks_too() -> None:
    day = Day()
    day.upload(0, "training/a.csv", b"x\n1\n")
    for body in ("{}", "no JSON", "[]", '{"detail": null}'):
        day.deliver(QUIET, message(body, name=body))
    assert len(day.trained_on()) == 1


@pytest.mark.parametrize("event", [{}, {"started_by": "schedule"}])
def test_who_asks_by_other_means_need_not_wait(event: dict[str, str]) -> None:
    day = Day()
    day.upload(0, "training/a.csv", b"x\n1\n")
    day.lab.now = START
    day.lab.ask(event)
    assert len(day.trained_on()) == 1


GAPS = st.one_of(st.integers(0, 40), st.integers(0, QUIET + 100), st.just(LONGEST))
IN_PARTS = st.sampled_from([0, 0, 0, 100, 1_500])


@given(
    comes=st.lists(
        st.tuples(GAPS, st.integers(0, 3), st.integers(0, LATE), IN_PARTS), min_size=1, max_size=40
    ),
    doubled=st.booleans(),
)
def test_the_law(comes: list[tuple[int, int, int, int]], *, doubled: bool) -> None:
    """Every upload is trained on within the longest wait, and no run starts without a reason.

    A reason is that it has been quiet, or that an upload has waited for so long. Of what came in parts
    a look that is not its own knows only when that began, and one that began before a run is told of by
    what follows it.
    """
    times = accumulate(gap for gap, *_ in comes)
    uploads = [
        Upload(at=at, key=key, late=late, took=took)
        for at, (_, key, late, took) in zip(times, comes, strict=True)
    ]
    day = Day()
    day.live(uploads, doubled=doubled)

    for one in uploads:
        wait = LONGEST + LATE + (QUIET if one.took else 0)
        assert any(one.at <= start <= one.at + wait for start in day.starts)
    for before, start in pairwise([-math.inf, *day.starts]):
        was_quiet = all(one.began <= start - QUIET for one in uploads if one.at < start)
        waited = [
            one for one in uploads if before <= one.at <= start and max(before, one.began) <= start - LONGEST
        ]
        assert was_quiet or waited
    pauses = sum(later.at - one.at > QUIET + LATE for one, later in pairwise(uploads))
    assert len(day.starts) >= pauses + 1
    *_, last = day.lab.pipeline.runs.values()
    assert last["DatasetVersion"] == pin(day.lab.data).version
    assert not day.due
