"""What the target column says about the problem."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from cli.kit.errors import CliError
from cli.new_model.make import Made
from tests.cli.tables import ROWS, Make, with_x


@pytest.mark.parametrize(
    ("target", "problem", "positive"),
    [
        (["no"] * 30 + ["yes"] * 10, "binary", "yes"),
        (["0", "1", "NA", "1"] * 10, "binary", "1"),
        (["1.0", "0.0", "1.0", "nan"] * 10, "binary", "1.0"),
        (["FALSE", "TRUE", "TRUE", "\\N"] * 10, "binary", "TRUE"),
        (["no", "yes", "No", "yes"] * 10, "binary", "yes"),
        (["0"] * 20 + ["1"] * 19 + ["Total"], "binary", "1"),
        (["a", "b", "c", "NA"] * 10, "multiclass", None),
        (["a", "b", "None", "a"] * 10, "multiclass", None),
        (["3.5", "2.5", "nan", "4.5"] * 10, "regression", None),
        (["0"] * 25 + ["1"] * 8 + ["2"] * 4 + ["3", "4", "9"], "regression", None),
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
    ("target", "options", "message"),
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
def test_targets_that_cannot_be(make: Make, target: list[str], options: dict[str, Any], message: str) -> None:
    if message:
        with pytest.raises(CliError, match=message):
            make({**with_x([1, 2]), "y": target}, **options)


def test_texts_without_end_are_no_target(make: Make) -> None:
    with pytest.raises(CliError, match="holds 200 different values and some are no numbers"):
        make({"x": [1, 2] * 100, "y": [f"t{i}" for i in range(200)]})


def hints(made: Made) -> list[str]:
    return [str(hint) for hint in made.hints if hint.column == "y"]


def test_labels_that_are_missing_are_no_class_and_are_counted(make: Make) -> None:
    made = make({**with_x([1, 2]), "y": ["no", "yes", "NA", ""] * 10})

    assert tomllib.loads(made.path.read_text())["target"] == {
        "name": "y",
        "positive": "yes",
        "missing": ["NA"],
    }
    assert "20 rows without a label are set aside in training" in hints(made)


def test_what_training_would_refuse_comes_first(make: Make) -> None:
    labels = ["a"] * 20 + ["b"] * 18 + ["c"] + ["Total"]
    made = make({**with_x(["1,5", "2,5"]), "y": labels}, problem="multiclass")

    assert [str(hint) for hint in made.hints[:2]] == [
        '"Total" seems to be a sheet\'s last line: remove it',
        '"c" has fewer than the 10 rows that training asks of a class: add rows of it, or leave it out',
    ]


@pytest.mark.parametrize(
    ("labels", "options", "hint"),
    [
        (["no", "yes"] * 20, {}, '"yes" is taken for the positive value: --positive names another'),
        (["no", "yes"] * 20, {"positive": "no"}, ""),
        (["Yes", "yes", "no", "no"] * 10, {"positive": "no"}, "classes apart only by case"),
        (
            ["1", "2", "3", "4"] * 10,
            {},
            "4 whole numbers taken for classes: --problem regression if they are",
        ),
        (["1", "2", "3", "4"] * 10, {"problem": "multiclass"}, ""),
        (["0"] * 30 + ["1"] * 8 + ["2", "3"], {}, "4 whole numbers taken for an amount, for some are rare"),
    ],
)
def test_what_is_guessed_of_the_target_is_said(
    make: Make, labels: list[str], options: dict[str, Any], hint: str
) -> None:
    found = hints(make({**with_x([1, 2]), "y": labels}, **options))

    assert any(text.startswith(hint) for text in found) if hint else not found


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([f"{i},5" for i in range(200)], 'numbers with a decimal comma, such as "199,5": write 199.5'),
        ([f"${i},000.50" for i in range(1, 201)], r'of money, such as "\$200,000.50": write 200000.50'),
    ],
)
def test_a_target_of_numbers_in_a_local_writing_says_what_to_write(
    make: Make, values: list[str], message: str
) -> None:
    with pytest.raises(CliError, match=message):
        make({"x": [1, 2] * 100, "y": values})
    with pytest.raises(CliError, match=message):
        make({"x": [1, 2] * 100, "y": values}, problem="regression")
