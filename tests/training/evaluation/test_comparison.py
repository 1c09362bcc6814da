"""The live model and the new one are compared on the same rows, or it is said why they cannot be."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from container.errors import PlatformError
from contract import artifact
from contract.schema import Contract, Evaluation, Time
from scoring.server.sealed_model import SealedModel
from tabular.samples import Samples
from tests.fixtures.tables import mixed, samples_of
from training.data.champion import Champion
from training.data.holdout import Holdout
from training.evaluation.comparison import apart, compare

RANDOM = Holdout(rule="random")


@pytest.fixture(scope="module")
def live(mixed_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Champion:
    return sealed(mixed_model, tmp_path_factory.mktemp("live"))


def sealed(folder: Path, target: Path) -> Champion:
    archive = target / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(folder, ".")
    return Champion(model_version="m/3", archive=archive)


@pytest.fixture(scope="module")
def challenger(mixed_model: Path) -> SealedModel:
    return SealedModel(mixed_model)


@pytest.fixture(scope="module")
def holdout() -> Samples:
    return samples_of("binary")[1]


def compared(live: Champion | None, contract: Contract, holdout: Samples, challenger: SealedModel) -> Any:
    return compare(live, contract, holdout, challenger.rows(holdout), RANDOM)


def test_before_the_first_release_there_is_no_comparison(holdout: Samples, challenger: SealedModel) -> None:
    assert compared(None, challenger.contract, holdout, challenger) is None


def test_a_model_does_not_differ_from_itself(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    found = compared(live, challenger.contract, holdout, challenger)
    assert (found["model_version"], found["not_comparable"]) == ("m/3", "")
    for one in found["metrics"].values():
        assert one["champion"] == one["challenger"]
        assert (one["difference"], one["low"], one["high"]) == (0, 0, 0)


def test_a_worse_model_is_found_to_be_worse_beyond_doubt(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    rows = challenger.rows(holdout)
    worse = replace(rows, predictions=(rows.predictions + np.random.default_rng(1).random(len(rows))) / 2)
    found = compare(live, challenger.contract, holdout, worse, RANDOM)
    assert found is not None
    auc, brier = found["metrics"]["roc_auc"], found["metrics"]["brier"]
    assert auc["high"] is not None
    assert auc["high"] < 0
    assert brier["low"] is not None
    assert brier["low"] > 0


def test_pairs_are_surer_than_each_model_by_itself(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    rows = challenger.rows(holdout)
    other = replace(rows, predictions=np.clip(rows.predictions + 0.01, 0, 1))
    found = compare(live, challenger.contract, holdout, other, RANDOM)
    assert found is not None
    brier = found["metrics"]["brier"]
    assert brier["low"] is not None
    assert brier["high"] is not None
    alone = np.std((other.predictions - other.truth) ** 2) / np.sqrt(len(rows))
    assert brier["high"] - brier["low"] < alone


def test_columns_may_be_in_another_order_and_there_may_be_more(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    rows = challenger.rows(holdout)
    theirs = challenger.contract
    turned = replace(theirs, features=tuple(reversed(theirs.features)))
    numbers = [theirs.numeric.index(f) for f in turned.numeric]
    categories = [theirs.categorical.index(f) for f in turned.categorical]
    samples = Samples(holdout.numbers[:, numbers], holdout.categories[:, categories], holdout.target)
    found = compare(live, turned, samples, rows, RANDOM)
    assert found is not None
    assert found["metrics"]["roc_auc"]["difference"] == 0


def without(contract: Contract, name: str) -> Contract:
    return replace(contract, features=tuple(f for f in contract.features if f.name != name))


def retyped(contract: Contract, name: str) -> Contract:
    features = tuple(replace(f, type="category") if f.name == name else f for f in contract.features)
    return replace(contract, features=features)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c: without(c, "ratio"), "it reads the column 'ratio', which is no feature any more"),
        (lambda c: retyped(c, "ratio"), "it reads the column 'ratio' as a number, which it is no more"),
        (
            lambda c: replace(c, target=replace(c.target, name="other")),
            "it predicts 'outcome' as a binary problem",
        ),
    ],
)
def test_a_live_model_of_another_table_is_not_compared_with(
    change: Any, why: str, live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    found = compared(live, change(challenger.contract), holdout, challenger)
    assert found == {
        "model_version": "m/3",
        "not_comparable": why,
        "may_know_rows": False,
        "rows": 0,
        "metrics": {},
    }


TIMED = replace(
    mixed().contract, time=Time(name="at"), training=replace(mixed().contract.training, holdout="newest")
)


@pytest.mark.parametrize(
    ("theirs", "began", "ours", "begins", "known"),
    [
        (mixed().contract, None, mixed().contract, None, False),
        (without(mixed().contract, "ratio"), None, mixed().contract, None, True),
        (mixed().with_training(holdout_share=0.1).contract, None, mixed().contract, None, True),
        (mixed().with_training(holdout_share=0.3).contract, None, mixed().contract, None, False),
        (mixed().contract, None, TIMED, "2024-06-01 00:00", True),
        (TIMED, "2024-05-01 00:00", mixed().contract, None, True),
        (TIMED, "2024-05-01 00:00", TIMED, "2024-06-01 00:00", False),
        (TIMED, "2024-06-01 00:00", TIMED, "2024-06-01 00:00", False),
        (TIMED, "2024-06-01 00:02", TIMED, "2024-06-01 00:00", True),
        (replace(TIMED, time=Time(name="other")), "2024-05-01 00:00", TIMED, "2024-06-01 00:00", True),
        (without(TIMED, "ratio"), "2024-05-01 00:00", TIMED, "2024-06-01 00:00", False),
    ],
)
def test_whether_the_live_model_may_have_been_trained_on_the_rows(
    theirs: Contract, began: str | None, ours: Contract, begins: str | None, *, known: bool
) -> None:
    before, held_out = (Holdout(rule="newest", starts=at) if at else RANDOM for at in (began, begins))
    assert apart(theirs, before, ours, held_out) is not known


def test_of_two_copies_with_one_split_neither_knows_the_rows(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    assert not compared(live, challenger.contract, holdout, challenger)["may_know_rows"]
    newest = Holdout(rule="newest", starts="2024-06-01 00:00")
    found = compare(live, challenger.contract, holdout, challenger.rows(holdout), newest)
    assert found is not None
    assert not found["may_know_rows"]
    assert 30 <= found["rows"] < 200


def test_where_a_live_model_held_out_few_of_these_rows_it_may_know_the_others(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    asked = replace(challenger.contract, evaluation=Evaluation(minimum_rows=400))
    newest = Holdout(rule="newest", starts="2024-06-01 00:00")

    found = compare(live, asked, holdout, challenger.rows(holdout), newest)

    assert found is not None
    assert (found["may_know_rows"], found["rows"]) == (True, 600)


def test_a_class_that_the_live_model_does_not_know(
    live: Champion, holdout: Samples, challenger: SealedModel
) -> None:
    new = replace(holdout, target=np.where(np.arange(len(holdout)) == 0, "maybe", holdout.target))
    found = compare(live, challenger.contract, new, challenger.rows(holdout), RANDOM)
    assert found is not None
    assert found["not_comparable"] == "it does not know the class 'maybe'"


def test_a_live_model_whose_bytes_were_altered_is_the_platforms_fault(
    mixed_model: Path, tmp_path: Path, holdout: Samples, challenger: SealedModel
) -> None:
    folder = tmp_path / "altered"
    folder.mkdir()
    for path in mixed_model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / artifact.BASELINE).write_text("{}")
    with pytest.raises(PlatformError, match=r"model\.tar\.gz is no sealed artifact"):
        compared(sealed(folder, tmp_path), challenger.contract, holdout, challenger)
