"""A burst of uploads under training/ starts one run, after a quiet time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.dataset import Manifest
from contract.layout import manifest_key
from lambdas.start_training.pinning import pin
from tests.lambdas.test_start_training import Lab
from tests.lambdas.uploads import event, message

QUIET = 300
START = 1_000_000.0


@dataclass
class Day:
    """Time that passes over a lab and its queue: what is delayed is delivered again when its time has come."""

    lab: Lab = field(default_factory=lambda: Lab(quiet_seconds=QUIET, now=START))
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)

    def upload(self, at: float, key: str, body: bytes, *, took: float = 0) -> dict[str, Any]:
        """Put an object, in parts if it took seconds; its message."""
        version = self.lab.data.put(key, body)
        # S3 dates an object by the time at which its upload in parts began.
        self.lab.data.modified[key] = START + at - took
        time = datetime.fromtimestamp(START + at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return message(event(key, version, time=time), name=f"{key}@{version}")

    def deliver(self, at: float, *messages: dict[str, Any]) -> None:
        """Hand messages over; those that fail wait for as long as they were told to."""
        self.lab.now = START + at
        told = self.lab.ask({"Records": list(messages)})
        for failed in told["batchItemFailures"]:
            name = failed["itemIdentifier"]
            self.waiting[name] = next(m for m in messages if m["messageId"] == name)
            self.due[name] = at + self.lab.queue.delays.pop(f"receipt-{name}", 0)

    def pass_until(self, at: float) -> None:
        """Deliver again what is due until then."""
        while self.due and min(self.due.values()) <= at:
            name = min(self.due, key=self.due.__getitem__)
            self.deliver(self.due.pop(name), self.waiting.pop(name))

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
    for n in range(20):
        day.pass_until(n * 30)
        day.deliver(n * 30 + 1, day.upload(n * 30, f"training/{n}.csv", b"x\n%d\n" % n))
    day.pass_until(10_000)
    assert day.trained_on() == [{f"training/{n}.csv" for n in range(20)}]
    assert not day.due


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


@given(
    uploads=st.lists(
        st.tuples(
            st.integers(0, 2_000), st.integers(0, 3), st.integers(0, 60), st.sampled_from([0, 0, 100, 1_500])
        ),
        min_size=1,
        max_size=9,
    ),
    doubled=st.booleans(),
)
def test_whatever_the_order_the_last_data_is_trained_on_once_a_quiet_time(
    uploads: list[tuple[int, int, int, int]], *, doubled: bool
) -> None:
    """Times in seconds, keys, by how much each event comes late, how long it took; doubled: each comes twice."""
    day = Day()
    uploads.sort()
    messages: list[tuple[int, dict[str, Any] | None, tuple[int, int]]] = [
        (at, None, (n, key)) for n, (at, key, *_) in enumerate(uploads)
    ]
    while messages:
        at, told, (n, key) = messages.pop(0)
        day.pass_until(at)
        if told is None:
            told = day.upload(at, f"training/{key}.csv", b"x\n%d\n" % n, took=uploads[n][3])
            messages += [(at + uploads[n][2], told, (n, key))] * (2 if doubled else 1)
            messages.sort(key=lambda each: (each[0], each[1] is not None))
        else:
            day.deliver(at, told)
    day.pass_until(100_000)

    times = [at for at, *_ in uploads]
    pauses = sum(later - at > QUIET + 60 for at, later in pairwise(times))
    gaps = sum(later - at >= QUIET for at, later in pairwise(times))
    # A look knows of others when they began, so that it may not wait for one that came in parts.
    in_parts = sum(took > 0 for *_, took in uploads)
    assert pauses + 1 <= len(day.lab.pipeline.runs) <= gaps + 1 + in_parts
    *_, last = day.lab.pipeline.runs.values()
    assert last["DatasetVersion"] == pin(day.lab.data).version
    assert not day.due
