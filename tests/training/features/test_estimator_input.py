"""Which values of a category get a code, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from contract.schema import Contract, Feature, Problem, Target
from tabular.samples import Samples
from training.features.estimator_input import RARE_ROWS, fit_encoder

TOWN = Feature(name="town", type="category")


def vocabulary(towns: list[str], target: list[float], problem: Problem) -> list[str]:
    contract = Contract(model="m", problem=problem, target=Target(name="t"), features=(TOWN,))
    column = np.array(towns, object)[:, None]
    samples = Samples(np.empty((len(towns), 0), np.float32), column, np.zeros(len(towns)))
    encoder = fit_encoder(samples, np.array(target), contract)
    assert encoder is not None
    found: list[str] = encoder.categories_[0].tolist()
    return found


@pytest.mark.parametrize(
    ("problem", "target", "order"),
    [
        ("binary", {"a": 1, "b": 0, "c": 0.5}, "bca"),
        ("regression", {"a": -3, "b": 100, "c": 7}, "acb"),
        # Class 1 is the most frequent: it is never b's, always a's.
        ("multiclass", {"a": 1, "b": 2, "c": 0.5}, "bca"),
    ],
)
def test_values_are_in_the_order_of_the_targets_mean(
    problem: Problem, target: dict[str, float], order: str
) -> None:
    """So a tree that splits codes splits values by what they mean for the target."""
    towns = ["a", "b", "c"] * 20
    alternate = [0.0, 1.0] if problem != "regression" else [7.0, 7.0]
    codes = [
        alternate[row // 3 % 2] if target[town] == 0.5 else float(target[town])
        for row, town in enumerate(towns)
    ]
    assert vocabulary(towns, codes, problem) == list(order)


def test_rare_values_have_no_code() -> None:
    towns = ["often"] * 50 + ["enough"] * RARE_ROWS + ["rare"] * (RARE_ROWS - 1)
    assert set(vocabulary(towns, [0.0, 1.0] * (len(towns) // 2) + [0.0] * (len(towns) % 2), "binary")) == {
        "often",
        "enough",
    }


def test_a_vocabulary_is_never_empty() -> None:
    assert vocabulary(["x", "y", "y"], [0.0, 1.0, 1.0], "binary") == ["y"]
