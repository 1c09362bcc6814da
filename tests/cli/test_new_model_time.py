"""Order in time: a table that one datetime orders is held out by it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from infra.settings import load_model
from tests.cli.tables import ROWS, Make, with_x

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = [(BEGIN + timedelta(hours=7 * i)).isoformat() for i in range(ROWS)]
SHUFFLED = [HOURS[i * 7 % ROWS] for i in range(ROWS)]


@pytest.mark.parametrize("moments", [HOURS, HOURS[::-1], [*HOURS[:30], *["NaT"] * 10]])
def test_rows_in_the_order_of_a_datetime_are_held_out_by_it(make: Make, moments: list[str]) -> None:
    made = make({"at": moments, **with_x([1, 2])})

    assert tomllib.loads(made.path.read_text())["time"] == {"name": "at"}
    model = load_model(made.path.parents[2], "mine")
    assert model.contract().newest_held_out == "at"
    assert "it orders the rows, so the newest are held out" in [hint.found for hint in made.hints]


def test_the_first_of_several_datetimes_that_order_the_rows_counts(make: Make) -> None:
    made = make({"born": SHUFFLED, "begun": HOURS, "ended": HOURS, **with_x([1, 2])})

    assert tomllib.loads(made.path.read_text())["time"] == {"name": "begun"}


@pytest.mark.parametrize("moments", [SHUFFLED, ["2024-01-01", "2024-01-02"] * 20, sorted(HOURS[:5] * 8)])
def test_another_datetime_is_offered_as_a_comment(make: Make, moments: list[str]) -> None:
    made = make({"at": moments, **with_x([1, 2])})

    assert "time" not in tomllib.loads(made.path.read_text())
    assert (
        '# [time]  # if this says when a row came to be: then the newest rows are held out\n# name = "at"'
        in (made.path.read_text())
    )
    assert "the rows are not in its order, and held out at random" in [hint.found for hint in made.hints]


def test_without_a_datetime_nothing_is_said_of_time(make: Make) -> None:
    assert "time" not in make(with_x([1, 2])).path.read_text().partition("[features]")[2]
