"""What the target column says about the problem."""

from __future__ import annotations

from typing import Any

import pytest

from cli.errors import CliError
from tests.cli.tables import ROWS, Make, with_x


@pytest.mark.parametrize(
    ("target", "problem", "positive"),
    [
        (["no"] * 30 + ["yes"] * 10, "binary", "yes"),
        (["ham"] * 30 + ["spam"] * 10, "binary", "spam"),
        (["0"] * 10 + ["1"] * 30, "binary", "1"),
        (["a", "b", "c", "d"] * 10, "multiclass", None),
        (["1", "2", "3", "4"] * 10, "multiclass", None),
        ([str(i) for i in range(ROWS)], "regression", None),
        ([f"{i}.5" for i in range(4)] * 10, "regression", None),
    ],
)
def test_the_problem_follows_from_the_target(
    make: Make, target: list[str], problem: str, positive: str | None
) -> None:
    drafted = make({**with_x([1, 2]), "y": target}).document.target

    assert (drafted.problem, drafted.positive) == (problem, positive)


def test_what_is_asked_for_wins(make: Make) -> None:
    stars = {**with_x([1, 2]), "y": ["1", "2", "3", "4"] * 10}

    assert make(stars, name="a", problem="regression").document.target.problem == "regression"
    assert make(with_x([1, 2]), name="b", positive="no").document.target.positive == "no"


@pytest.mark.parametrize(
    ("target", "options", "told"),
    [
        (["a"] * ROWS, {}, "only \"a\": there is nothing to predict"),
        ([""] * ROWS, {}, "no value: there is nothing to predict"),
        (["a", "b"] * 20, {"positive": "c"}, 'no row has y "c": --positive is one of "a", "b"'),
        (["a", "b", "c", "d"] * 10, {"positive": "a"}, "use --problem multiclass"),
        (["a", "b"] * 20, {"problem": "regression"}, r"not a number in every row \(\"a\", \"b\"\)"),
        (["1", "2"] * 20, {"problem": "regression", "positive": "1"}, "leave out --positive"),
        ([f"t{i}" for i in range(ROWS)] * 5, {}, ""),
    ],
)  # fmt: skip
def test_targets_that_cannot_be(make: Make, target: list[str], options: dict[str, Any], told: str) -> None:
    if told:
        with pytest.raises(CliError, match=told):
            make({**with_x([1, 2]), "y": target}, **options)


def test_texts_without_end_are_no_target(make: Make) -> None:
    with pytest.raises(CliError, match="holds 200 different values and some are no numbers"):
        make({"x": [1, 2] * 100, "y": [f"t{i}" for i in range(200)]})


def test_rows_that_training_would_refuse_are_told(make: Make) -> None:
    made = make({**with_x([1, 2]), "y": ["a"] * 20 + ["b"] * 18 + ["c"] + [""]}, problem="multiclass")

    assert made.warnings == (
        "1 rows have no y: training refuses such rows, remove them.",
        'training needs 10 rows of each class and "c" has fewer.',
    )
