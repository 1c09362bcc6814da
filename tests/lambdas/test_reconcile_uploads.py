"""Uploads whose event was lost are found and put back: once, by bounded work, for two weeks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from adapters.errors import AwsError
from contract import layout
from contract.names.metrics import Metric
from lambdas.reconcile_uploads.logic import LOOKUPS_BETWEEN_SAVES, Reconciler, reconcile
from lambdas.reconcile_uploads.schedule import DAY_SECONDS
from scoring.upload.messages import upload_of
from tests.fixtures.fakes import MODIFIED, MemoryBucket, MemoryMetrics, MemoryQueue, MemoryStateMachine

AFTER = 3600
START = MODIFIED.timestamp()


@dataclass
class BreakableQueue(MemoryQueue):
    """A queue that cannot be sent to until told otherwise."""

    broken: bool = False

    def send(self, bodies: Sequence[str]) -> None:
        if self.broken and bodies:
            raise AwsError("SendMessageBatch", "InternalError", "not now")
        super().send(bodies)


class DiedError(BaseException):
    """The process is killed."""


@dataclass
class DeadlyBucket(MemoryBucket):
    """A bucket that one may look into so many times before the process dies."""

    looks: int = 0

    def holds(self, prefix: str) -> bool:
        self.looks -= 1
        if self.looks < 0:
            raise DiedError
        return super().holds(prefix)


@dataclass
class Account:
    """What reconciliation touches, in memory, and its clock."""

    data: MemoryBucket = field(default_factory=lambda: MemoryBucket("data"))
    results: MemoryBucket = field(default_factory=lambda: MemoryBucket("results"))
    artifacts: MemoryBucket = field(default_factory=lambda: MemoryBucket("artifacts"))
    queue: BreakableQueue = field(default_factory=BreakableQueue)
    batches: MemoryStateMachine = field(default_factory=MemoryStateMachine)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    now: float = START
    seconds: float = 300.0
    versions_a_run: int = 1000
    max_waiting: int = 1000

    def upload(self, *keys: str) -> None:
        for key in keys:
            self.data.put(key, b"x")
            self.data.modified[key] = self.now

    def score(self, key: str, version_id: str = "v0") -> None:
        self.results.put(layout.scored_key(key, version_id, "parquet"), b"")

    def run(self, *, after: float = 0) -> list[tuple[str, str]]:
        """Let time pass, reconcile, and give what was put back."""
        self.now += after
        before = len(self.queue.sent)
        reconcile(
            Reconciler(
                data=self.data,
                results=self.results,
                artifacts=self.artifacts,
                queue=self.queue,
                batches=self.batches,
                metrics=self.metrics,
                after_seconds=AFTER,
                time_left=lambda: self.seconds,
                now=lambda: self.now,
                versions_a_run=self.versions_a_run,
                max_waiting=self.max_waiting,
            )
        )
        uploads = [upload_of(body) for body in self.queue.sent[before:]]
        assert all(upload and upload.bucket == "data" for upload in uploads)
        return [(upload.key, upload.version_id) for upload in uploads if upload]

    def without_outcome(self) -> float:
        """What the last run said."""
        return self.metrics.emitted[-1][Metric.UPLOADS_WITHOUT_OUTCOME]


def test_what_should_have_an_outcome_and_has_none_is_put_back_once() -> None:
    account = Account()
    account.upload("score/lost", "score/fine", "score/odd")
    account.score("score/fine")
    account.results.put(layout.unscorable_key("score/odd", "v0"), b"{}")
    assert account.run(after=AFTER - 1) == []
    assert account.run(after=1) == [("score/lost", "v0")]
    for _ in range(20):
        assert account.run(after=AFTER) == []
        assert account.without_outcome() == 1
    account.score("score/lost")
    account.run(after=60)
    assert account.without_outcome() == 0


def test_an_upload_with_two_outcomes_is_put_back_until_one_is_withdrawn() -> None:
    account = Account()
    account.upload("score/both")
    account.score("score/both")
    account.results.put(layout.unscorable_key("score/both", "v0"), b"{}")
    assert account.run(after=AFTER) == [("score/both", "v0")]
    assert account.without_outcome() == 1
    account.results.withdraw(layout.unscorable_key("score/both", "v0"))
    assert account.run(after=60) == []
    assert account.without_outcome() == 0


def test_every_version_has_its_own_outcome_and_what_is_no_upload_none() -> None:
    account = Account()
    account.upload("score/a", "score/a", "score/folder/", "training/a")
    account.score("score/a", "v0")
    assert account.run(after=AFTER) == [("score/a", "v1")]


@pytest.mark.parametrize("attempt", [None, 2])
def test_an_upload_whose_batch_runs_is_late_not_lost(attempt: int | None) -> None:
    account = Account()
    account.upload("score/large", "score/lost")
    batch = layout.batch_id("score/large", "v0")
    name = batch if attempt is None else layout.batch_execution(batch, attempt)
    account.batches.start(name, {})
    assert account.run(after=AFTER) == [("score/lost", "v0")]
    assert account.without_outcome() == 1
    account.score("score/lost")
    assert account.run(after=60) == []
    assert account.without_outcome() == 0


def test_an_upload_whose_batch_ended_without_an_outcome_is_without_one() -> None:
    account = Account()
    account.upload("score/large")
    batch = layout.batch_id("score/large", "v0")
    account.batches.start(batch, {})
    account.run(after=AFTER)
    account.batches.ended.add(batch)
    account.run(after=60)
    assert account.without_outcome() == 1
    account.score("score/large")
    account.run(after=60)
    assert account.without_outcome() == 0


def test_batches_that_cannot_be_listed_keep_nothing_from_being_put_back() -> None:
    class Unlisted(MemoryStateMachine):
        def running(self) -> Collection[str]:
            raise AwsError("ListExecutions", "InternalError", "not now")

    account = Account(batches=Unlisted())
    account.upload("score/lost")
    with pytest.raises(AwsError, match="ListExecutions"):
        account.run(after=AFTER)
    assert [upload_of(body) for body in account.queue.sent]
    assert account.without_outcome() == 1


def test_a_deleted_upload_is_no_longer_waited_for() -> None:
    account = Account()
    account.upload("score/a")
    account.run(after=AFTER)
    del account.data.objects["score/a"]
    account.run(after=60)
    assert account.without_outcome() == 0


def test_an_upload_that_appears_late_with_an_early_time_is_found() -> None:
    account = Account()
    account.run(after=2 * AFTER)
    account.data.put("score/multipart", b"x")
    account.data.modified["score/multipart"] = account.now - 1.5 * AFTER
    assert account.run(after=60) == []
    assert account.run(after=3 * AFTER) == [("score/multipart", "v0")]


def test_nothing_older_than_two_weeks_is_looked_for_or_waited_for() -> None:
    account = Account()
    account.upload("score/a")
    assert account.run(after=15 * DAY_SECONDS) == []
    account.upload("score/b")
    assert account.run(after=AFTER) == [("score/b", "v0")]
    account.run(after=14 * DAY_SECONDS)
    assert account.without_outcome() == 0


def test_a_run_lists_a_bounded_part_and_the_next_goes_on_there() -> None:
    account = Account(versions_a_run=6)
    keys = [f"score/{n:02}" for n in range(20)]
    account.upload(*keys)
    found = [account.run(after=AFTER)] + [account.run(after=60) for _ in range(3)]
    assert [len(part) for part in found] == [6, 6, 6, 2]
    assert [key for part in found for key, _ in part] == keys
    assert account.run(after=60) == []


def test_uploads_that_come_during_a_sweep_are_found_once_wherever_it_stands() -> None:
    account = Account(versions_a_run=1)
    account.upload("score/b", "score/c")
    assert account.run(after=AFTER) == [("score/b", "v0")]
    account.upload("score/a", "score/d")
    found = [key for _ in range(20) for key, _ in account.run(after=AFTER / 2)]
    assert sorted(found) == ["score/a", "score/c", "score/d"]


@pytest.mark.parametrize("limit", ["time", "broken uploads"])
def test_a_sweep_stops_before_its_time_is_up_and_while_too_much_is_broken(limit: str) -> None:
    account = Account()
    account.upload(*(f"score/{n:02}" for n in range(50)))
    if limit == "time":
        account.seconds = 29
        assert account.run(after=AFTER) == []
        account.seconds = 300
    else:
        account.max_waiting = 2
        found = account.run(after=AFTER)
        assert 2 <= len(found) < 2 + LOOKUPS_BETWEEN_SAVES
        assert account.run(after=60) == []
        for key, _ in found[1:]:
            account.score(key)
    assert account.run(after=60)


def test_a_sweep_gets_on_although_every_run_is_killed_early() -> None:
    account = Account(results=(results := DeadlyBucket("results")))
    keys = [f"score/{n:02}" for n in range(30)]
    account.upload(*keys)
    for key in keys[:-1]:
        account.score(key)
    for run in range(len(keys)):
        results.looks = 4
        with suppress(DiedError):
            account.run(after=0 if run else AFTER)
    assert [upload.key for body in account.queue.sent if (upload := upload_of(body))] == keys[-1:]


def test_a_run_that_fails_is_done_again_and_two_at_once_do_no_harm() -> None:
    account = Account()
    account.upload("score/a")
    account.queue.broken = True
    with pytest.raises(AwsError):
        account.run(after=AFTER)
    account.queue.broken = False
    before = {key: list(versions) for key, versions in account.artifacts.objects.items()}
    assert account.run(after=60) == [("score/a", "v0")]
    account.artifacts.objects = before
    assert account.run() == [("score/a", "v0")]
    assert account.without_outcome() == 1


@dataclass
class DeniedAtTimes(MemoryBucket):
    """Cannot be looked into for some keys."""

    denied: set[str] = field(default_factory=set)

    def holds(self, prefix: str) -> bool:
        if any(key in prefix for key in self.denied):
            raise AwsError("ListObjectsV2", "AccessDenied", prefix)
        return super().holds(prefix)


def test_what_cannot_be_looked_up_is_put_back_and_the_rest_is_done() -> None:
    account = Account(results=DeniedAtTimes("results", denied={"/b/"}))
    account.upload("score/a", "score/b", "score/c")
    account.score("score/c")
    with pytest.raises(AwsError):
        account.run(after=AFTER)
    assert account.without_outcome() == 2
    with pytest.raises(AwsError):
        account.run(after=60)
    account.results.denied.clear()  # type: ignore[attr-defined]  # of this test's bucket
    account.score("score/a")
    account.score("score/b")
    assert account.run(after=60) == []
    assert account.without_outcome() == 0
    assert len(account.queue.sent) == 2


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"started": null}'])
def test_progress_that_cannot_be_read_is_begun_anew(text: bytes) -> None:
    account = Account()
    account.upload("score/a")
    account.run(after=AFTER)
    account.artifacts.put(layout.RECONCILIATION_KEY, text)
    assert account.run(after=60) == [("score/a", "v0")]


def test_progress_is_remembered_as_it_was() -> None:
    account = Account()
    account.upload("score/a b+ü\x07")
    account.run(after=AFTER)
    document = json.loads(account.artifacts.read(layout.RECONCILIATION_KEY))
    assert [version["key"] for version in document["waiting"]] == ["score/a b+ü\x07"]
    assert account.run(after=60) == []
