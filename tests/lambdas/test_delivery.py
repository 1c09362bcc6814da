"""However often, at once or late an upload is delivered: one outcome, counted once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import IO

import pytest

from adapters.errors import Transient
from adapters.ports import Response
from contract import layout
from contract.names.metrics import Metric
from tests.fixtures.fakes import MemoryBucket, SignModel
from tests.fixtures.uploads import KEY, World, event, message

SCORED = layout.scored_key(KEY, "v0")
UNSCORABLE = layout.unscorable_key(KEY, "v0")


def test_a_redelivered_upload_is_not_scored_again() -> None:
    world = World()
    world.score(b"x\n1\n")
    world.model.version = "sign/2"
    assert world.deliver(message(event(), receives=2)) == []
    assert world.table()[0]["model_version"] == "sign/1"
    assert (len(world.model.requests), len(world.metrics.emitted)) == (1, 1)


def test_an_upload_that_was_overwritten_before_it_was_read_is_scored_as_it_was() -> None:
    world = World()
    first = message(event(KEY, world.data.put(KEY, b"x\n1\n2\n")))
    world.data.put(KEY, b"x\n-3\n")
    assert world.deliver(first) == []
    assert [row["x"] for row in world.table()] == ["1", "2"]


def test_each_version_of_a_key_has_its_own_outcome() -> None:
    world = World()
    world.score(b"x\n1\n")
    world.score(b"y\n1\n")
    assert set(world.outcomes()) == {SCORED, layout.unscorable_key(KEY, "v1")}


@dataclass
class Meeting(MemoryBucket):
    """Lets a number of deliveries go on only when all of them are about to commit."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(5))

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        self.barrier.wait(timeout=10)
        super().create(key, body, content_type)


@pytest.mark.parametrize(("body", "outcome"), [(b"x\n1\n", SCORED), (b"y\n1\n", UNSCORABLE)])
def test_five_deliveries_at_once_have_one_outcome_counted_once(body: bytes, outcome: str) -> None:
    world = World(results=Meeting("results"))
    world.data.put(KEY, body)
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(lambda _: world.deliver(message(event())), range(5))) == [[]] * 5
    assert list(world.outcomes()) == [outcome]
    assert len(world.metrics.emitted) == 1


@dataclass
class Interrupted(SignModel):
    """Lets something happen elsewhere after a number of answers."""

    after: int = 1
    happens: Callable[[Interrupted], None] = lambda model: None

    def predict(self, body: bytes, content_type: str) -> Response:
        answer = super().predict(body, content_type)
        with self.lock:
            self.after -= 1
            if self.after == 0:
                self.happens(self)
        return answer


def test_a_delivery_that_was_overtaken_does_not_add_the_other_outcome() -> None:
    world = World()

    def another_delivery_found_a_column_missing(model: SignModel) -> None:
        world.results.put(UNSCORABLE, b"{}")

    world.model = Interrupted(happens=another_delivery_found_a_column_missing)
    assert world.score(b"x\n1\n") == []
    assert list(world.outcomes()) == [UNSCORABLE]
    assert world.metrics.emitted == []


@dataclass
class Racing(MemoryBucket):
    """Lets another delivery run to its end right before the first write."""

    other: Callable[[], object] = lambda: None
    raced: bool = False

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        if not self.raced:
            self.raced = True
            self.other()
        super().create(key, body, content_type)


@pytest.mark.parametrize("first", ["x", "z"])
def test_of_two_outcomes_that_two_models_gave_at_once_the_scored_one_stays(first: str) -> None:
    def another_delivery_sees_another_model() -> None:
        world.model.column = {"x": "z", "z": "x"}[first]
        assert world.deliver(message(event(), name="m1")) == []

    world = World(model=SignModel(column=first))
    world.results = Racing("results", other=another_delivery_sees_another_model)
    assert world.score(b"x\n1\n") == []
    assert list(world.outcomes()) == [SCORED]


def test_two_outcomes_that_a_crash_left_are_one_after_the_next_delivery() -> None:
    world = World()
    world.score(b"x\n1\n")
    world.results.put(UNSCORABLE, b"{}")
    assert world.deliver(message(event(), receives=2)) == []
    assert list(world.outcomes()) == [SCORED]


MANY = b"x\n" + b"1\n" * 20_000


@pytest.mark.slow
@pytest.mark.parametrize("attribute", ["classes", "column"])
def test_a_model_with_other_columns_in_the_middle_of_a_file_means_all_of_it_again(attribute: str) -> None:
    def a_release(model: SignModel) -> None:
        model.version = "sign/2"
        setattr(model, attribute, {"classes": ("no", "yes"), "column": "z"}[attribute])

    world = World(model=Interrupted(problem="multiclass", after=8, happens=a_release))
    assert world.score(MANY) == ["m0"]
    assert world.outcomes() == {}
    assert world.deliver(message(event(), receives=2)) == []
    assert list(world.outcomes()) == [{"classes": SCORED, "column": UNSCORABLE}[attribute]]


def test_a_model_with_the_same_columns_may_finish_the_file_and_each_row_names_its_model() -> None:
    def a_release(model: SignModel) -> None:
        model.version = "sign/2"

    world = World(model=Interrupted(after=8, happens=a_release))
    assert world.score(MANY) == []
    versions = [row["model_version"] for row in world.table()]
    assert len(versions) == 20_000
    assert set(versions) == {"sign/1", "sign/2"}


def test_messages_for_which_no_time_is_left_are_handed_back_at_once() -> None:
    def the_clock_runs(model: SignModel) -> None:
        world.seconds = 4.9

    world = World(model=Interrupted(happens=the_clock_runs))
    batch = [
        message(event(key, world.data.put(key, b"x\n1\n")), name=key)
        for key in ("score/1", "score/2", "score/3")
    ]
    assert world.deliver(*batch) == ["score/2", "score/3"]
    assert list(world.outcomes()) == ["scored/1/v0.csv"]
    assert world.queue.delays == {"receipt-score/2": 0, "receipt-score/3": 0}


def test_a_file_that_time_runs_out_for_has_no_outcome_yet() -> None:
    def the_clock_runs(model: SignModel) -> None:
        world.seconds = 4.9

    world = World(model=Interrupted(after=5, happens=the_clock_runs))
    assert world.score(MANY) == ["m0"]
    assert world.outcomes() == {}
    assert len(world.model.requests) < 10


@dataclass
class Hanging(SignModel):
    """Answers only when it is told to."""

    told: threading.Event = field(default_factory=threading.Event)

    def predict(self, body: bytes, content_type: str) -> Response:
        self.told.wait(timeout=30)
        return super().predict(body, content_type)


def test_a_call_that_hangs_is_not_waited_for_when_time_runs_out() -> None:
    model = Hanging()
    world = World(model=model, seconds=5.05)
    try:
        assert world.score(b"x\n1\n") == ["m0"]
        assert not model.told.is_set()
        assert world.outcomes() == {}
    finally:
        model.told.set()


def test_a_scored_upload_is_measured_once() -> None:
    world = World()
    world.score(b"x\n1\n2\nbad\n3\n")
    (measured,) = world.metrics.emitted
    assert measured.keys() == {
        Metric.UPLOADS_SCORED,
        Metric.ROWS_SCORED,
        Metric.ROWS_REJECTED,
        Metric.REJECTED_ROW_SHARE,
        Metric.UNSEEN_CATEGORY_SHARE,
        Metric.SECONDS_TO_RESULT,
    }
    assert (measured[Metric.ROWS_SCORED], measured[Metric.ROWS_REJECTED]) == (3, 1)
    assert measured[Metric.REJECTED_ROW_SHARE] == 25


def test_an_unscorable_upload_is_measured_once() -> None:
    world = World()
    world.score(b"")
    (measured,) = world.metrics.emitted
    assert measured.keys() == {Metric.UPLOADS_UNSCORABLE, Metric.SECONDS_TO_RESULT}


@dataclass
class Contended(MemoryBucket):
    """Refuses its first write, as S3 does while another one is under way."""

    conflicts: int = 1

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        if self.conflicts:
            self.conflicts -= 1
            assert not isinstance(body, bytes)
            body.read()
            raise Transient("PutObject", "ConditionalRequestConflict", "try again")
        super().create(key, body, content_type)


def test_a_conflicting_commit_is_tried_again_from_its_beginning() -> None:
    world = World(results=Contended("results"))
    assert world.score(b"x\n1\n") == []
    assert world.table()[0]["prediction"] == "positive"
