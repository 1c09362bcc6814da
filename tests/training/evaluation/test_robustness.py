"""Robustness: what is changed, by how much, and what the contract forbids to change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contract.schema import Contract, Feature
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples
from tests.fixtures.tables import samples_of
from tests.training.evaluation.cases import contract, samples
from training.evaluation.robustness import CHANGES, probe

ROWS = 5_000
FREE = Feature(name="free", type="number")
BOUNDED = Feature(name="bounded", type="number", minimum=0, maximum=1, required=True)
OPEN = Feature(name="open", type="category")
CLOSED = Feature(name="closed", type="category", values=("a", "b"), required=True)


@pytest.fixture
def of() -> Contract:
    return contract(FREE, BOUNDED, OPEN, CLOSED)


@pytest.fixture
def before() -> Samples:
    random = np.random.default_rng(2)
    free = np.where(random.random(ROWS) < 0.2, np.nan, random.normal(0, 30, ROWS))
    dead_letters = np.array(["a", "b"], object)
    return samples(
        [free, random.random(ROWS)], [random.choice(dead_letters, ROWS), random.choice(dead_letters, ROWS)]
    )


def changed(change: str, before: Samples, of: Contract) -> Samples:
    _, worsen = CHANGES[change]
    untouched = before.numbers.copy(), before.categories.copy()
    after = worsen(before, of, np.random.default_rng(1))
    assert np.array_equal(before.numbers, untouched[0], equal_nan=True), "the holdout is changed in place"
    assert np.array_equal(before.categories, untouched[1])
    return after


def test_noise_is_a_tenth_of_the_deviation_and_stays_within_bounds(before: Samples, of: Contract) -> None:
    after = changed("noise", before, of)
    moved = (after.numbers - before.numbers)[:, 0]
    known = before.numbers[:, 0][~np.isnan(before.numbers[:, 0])]
    assert np.nanstd(moved) == pytest.approx(0.1 * known.std(), rel=0.05)
    assert np.array_equal(np.isnan(after.numbers[:, 0]), np.isnan(before.numbers[:, 0]))
    assert after.numbers[:, 1].min() >= 0
    assert after.numbers[:, 1].max() <= 1
    assert np.array_equal(after.categories, before.categories)


@pytest.mark.parametrize("largest", [3.4e38, 1e20, 1e-40])
def test_noise_leaves_numbers_of_any_size_finite(largest: float) -> None:
    of = contract(FREE)
    numbers = np.where(np.arange(ROWS) % 2, largest, -largest)
    after = changed("noise", samples([numbers], []), of)
    assert np.isfinite(after.numbers).all()
    assert (after.numbers != numbers.astype(np.float32)[:, None]).any()


def test_a_tenth_of_what_may_be_missing_is(before: Samples, of: Contract) -> None:
    after = changed("missing", before, of)
    known = ~np.isnan(before.numbers[:, 0])
    assert np.isnan(after.numbers[known, 0]).mean() == pytest.approx(0.1, abs=0.02)
    assert np.mean(after.categories[:, 0] == "") == pytest.approx(0.1, abs=0.02)
    assert np.array_equal(after.numbers[:, 1], before.numbers[:, 1])
    assert np.array_equal(after.categories[:, 1], before.categories[:, 1])


def test_only_open_categories_get_values_that_were_never_seen(before: Samples, of: Contract) -> None:
    after = changed("unseen", before, of)
    strange = ~np.isin(after.categories[:, 0].astype(str), ["a", "b"])
    assert strange.mean() == pytest.approx(0.1, abs=0.02)
    assert np.array_equal(after.categories[:, 1], before.categories[:, 1])


def test_a_model_is_asked_once_for_each_change_with_the_same_answer_each_time(mixed_model: Path) -> None:
    _, holdout = samples_of("binary")
    model = SealedModel(mixed_model)
    found = probe(model, holdout)
    assert [one["change"] for one in found] == ["noise", "missing", "unseen"]
    assert probe(model, holdout) == found
    unchanged = model.rows(holdout).score("roc_auc")
    for one in found:
        assert one["metric"] == "roc_auc"
        assert one["value"] is not None
        assert one["difference"] == pytest.approx(one["value"] - unchanged)
        assert -0.3 < one["value"] - unchanged < 0.02


def test_what_a_contract_forbids_is_not_tried(mixed_model: Path) -> None:
    model = SealedModel(mixed_model)
    _, holdout = samples_of("binary")
    strict = tuple(
        replace(f, required=True, values=f.values or ("x",) if f.type == "category" else None)
        for f in model.contract.features
    )
    model.contract = replace(model.contract, features=strict)
    assert [one["change"] for one in probe(model, holdout)] == ["noise"]
