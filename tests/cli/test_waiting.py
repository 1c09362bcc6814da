"""Waiting ends with the condition, or says what was awaited and what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import typer

from cli.aws.waiting import wait_until
from cli.kit.durations import since
from cli.kit.errors import CliError


def test_the_first_true_answer_is_the_result() -> None:
    answers: Iterator[object] = iter([None, "", [], "there"])

    assert wait_until(lambda: next(answers), timeout=5, what="it", poll=0) == "there"


def test_what_was_awaited_and_what_was_last_seen() -> None:
    with pytest.raises(CliError, match=r"waited 0\.01 s for the endpoint; last seen: Creating\."):
        wait_until(lambda: None, timeout=0.01, what="the endpoint", seen=lambda: "Creating", poll=0.001)


@pytest.mark.parametrize(
    ("span", "seconds"), [("90s", 90), ("30m", 1800), ("6h", 21600), ("14d", 14 * 86400)]
)
def test_spans_as_people_type_them(span: str, seconds: int) -> None:
    assert abs(datetime.now(UTC) - timedelta(seconds=seconds) - since(span)) < timedelta(seconds=5)


@pytest.mark.parametrize("span", ["", "h", "1", "1w", "-1h", "1.5h"])
def test_what_is_no_span(span: str) -> None:
    with pytest.raises(typer.BadParameter, match="30m, 6h or 2d"):
        since(span)
