"""The conservation law holds: in accounts drawn from a seed, by Hypothesis, and after a crash at any call."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.reasons import FileReason
from tests.fixtures.tables import MIXED_FEATURES
from tests.simulator.clock import HOUR
from tests.simulator.conftest import Trained
from tests.simulator.faults import Chances, Fault, Plan
from tests.simulator.tables import GOOD, Form, Sheet, Upload, draw_upload
from tests.simulator.world import World, simulated

pytestmark = pytest.mark.slow

TWO_REQUESTS = 1_100
"""Rows: a request has a thousand at most."""
FEATURES = tuple(feature.name for feature in MIXED_FEATURES)


@pytest.mark.parametrize("seed", ["a", "b"])
def test_nothing_is_lost_doubled_or_wrong_however_much_fails(trained: Trained, seed: str) -> None:
    report = trained.simulate(seed, uploads=40, faults=0.3)
    assert report.violations == []
    assert report.left_over == 0
    assert report.scored + report.unscorable > 35  # but for what its owner deleted
    assert sum(report.faults.values()) > 0.2 * report.requests
    assert report.happened["processes killed"]
    assert report.happened["redriven"]


def test_where_nothing_fails_everything_is_done_once(trained: Trained) -> None:
    report = trained.simulate("calm", uploads=60, faults=0, long_share=0.05)
    assert report.violations == []
    assert report.happened["deliveries"] == 60 + report.happened["put back"]  # some events are very late
    assert not any("errors" in name for name in report.happened)


def test_the_seed_alone_decides_what_happens(trained: Trained) -> None:
    one, other = (trained.simulate("again", uploads=20, faults=0.3, long_share=0.2) for _ in range(2))
    assert one == other
    assert one != trained.simulate("another", uploads=20, faults=0.3, long_share=0.2)


@settings(max_examples=20)
@given(random=st.randoms(use_true_random=False), seed=st.integers(0, 10**6))
def test_the_law_holds_for_any_table_polluted_in_any_way(trained: Trained, random: Random, seed: int) -> None:
    world = World(trained.models, Random(seed), Plan(Chances(str(seed)), 0.2))
    with simulated(world, trained.folder):
        for number in range(random.randint(1, 3)):
            upload = draw_upload(random, f"{number}")
            world.upload(upload, "score/" + upload.name, delays=(0.0, 5.0)[: random.randint(1, 2)])
        world.run()
        while world.dead_letters.messages:
            world.redrive()
            world.run()
        assert world.check().violations == []


def rows(count: int) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(GOOD[name][n % len(GOOD[name])] for name in FEATURES) for n in range(count))


def small() -> Upload:
    sheet, text = Sheet(FEATURES, rows(3)), [FEATURES, *rows(3)]
    body = "\n".join(",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in text)
    return Upload("small.csv", body.encode(), sheet, Form())


def long() -> Upload:
    row = ("1", "red", "never", "S", "", "free")
    text = "\n".join(["|".join(FEATURES), *["|".join(row)] * TWO_REQUESTS]).encode()
    body = gzip.compress(text, mtime=0)
    form = Form(delimiter="|", compressed=True)
    return Upload("long.csv.gz", body, Sheet(FEATURES, (row,) * TWO_REQUESTS), form)


def refused_by_the_model() -> Upload:
    sheet = Sheet(FEATURES[1:], tuple(row[1:] for row in rows(1)))
    body = ",".join(FEATURES[1:]) + "\n" + ",".join(sheet.rows[0]) + "\n"
    return Upload("less.csv", body.encode(), sheet, Form(), frozenset({FileReason.MISSING_COLUMN}))


def refused_at_sight() -> Upload:
    sheet = Sheet(FEATURES, ())
    return Upload("bytes.csv", b"\xff", sheet, Form(), frozenset({FileReason.UNDECODABLE}))


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
@pytest.mark.parametrize("upload", [small, long, refused_by_the_model, refused_at_sight])
def test_after_a_crash_at_any_call_there_is_one_outcome(
    trained: Trained, upload: Callable[[], Upload], fault: Fault
) -> None:
    for call in range(1, 100):
        plan = Plan(Chances("crash"), 0, certain={call: fault})
        world = World(trained.models, Random(0), plan)
        with simulated(world, trained.folder):
            world.upload(upload(), "score/" + upload().name)
            world.run()
            assert world.check().violations == []
        if not plan.happened:
            break
    assert 5 < call < 99


@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_after_a_crash_at_any_call_of_a_reconciliation_no_lost_event_is_forgotten(
    trained: Trained, fault: Fault
) -> None:
    for call in range(1, 100):
        plan = Plan(Chances("crash"), 0, certain={call: fault})
        world = World(trained.models, Random(0), plan)
        with simulated(world, trained.folder):
            world.upload(small(), "score/lost.csv", delays=())
            for hours in (13, 14):
                world.at(world.clock.now + hours * HOUR, world.reconcile)
            world.run()
            assert world.check().violations == []
        if plan.requests < call:
            break
    assert 8 < call < 99


def test_two_reconciliations_at_once_do_no_harm(trained: Trained) -> None:
    plan = Plan(Chances("two"), 0)
    world = World(trained.models, Random(0), plan)
    with simulated(world, trained.folder):
        for number in range(3):
            world.upload(small(), f"score/{number}.csv", delays=())
        before = world.artifacts.objects
        world.at(world.clock.now + 13 * HOUR, world.reconcile)
        world.at(world.clock.now + 13 * HOUR, before.clear)  # so the second knows nothing of the first
        world.at(world.clock.now + 13 * HOUR, world.reconcile)
        world.run()
        assert world.happened["put back"] >= 3
        assert world.check().violations == []
