"""`signal` looks at what a model is fitted on, and blames labels only where nothing else is to blame."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from contract.checks import Rule, default_rules
from contract.schema import Contract, Feature, Target, Training
from tests.fixtures.tables import to_csv
from training.jobs.validate import inspect

Rows = Sequence[Sequence[str]]

NOISE = Feature(name="noise", type="number")


@pytest.fixture
def draw() -> random.Random:
    return random.Random(4)


def signal(folder: Path, rows: Rows, *features: Feature, **options: Any) -> dict[str, Any]:
    """The check's outcome and its sentence, of rows that end in yes or no."""
    options = {"model": "any", "training": Training(), **options}
    contract = Contract(
        problem="binary",
        target=Target(name="y", positive="yes"),
        features=features,
        validation={**default_rules(), "rows": Rule(level="warn", limit=2)},
        **options,
    )
    header = [*(feature.name for feature in features), "y"]
    data = folder / "data"
    data.mkdir()
    (data / "a.csv").write_text(to_csv([header, *rows]), encoding="utf-8")
    found = inspect(data, contract)
    (check,) = [check for check in found["checks"] if check["check"] == "signal"]
    sentences = [problem["sentence"] for problem in found["problems"] if problem["check"] == "signal"]
    return {"outcome": check["outcome"], "sentence": "".join(sentences)}


def moments(draw: random.Random, count: int) -> list[datetime]:
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    return [begin + timedelta(minutes=draw.randrange(60 * 24 * 364)) for _ in range(count)]


@pytest.mark.parametrize(
    "rule",
    [
        lambda at: at.hour % 2,
        lambda at: at.weekday() > 4,
        lambda at: at.day % 2,
        lambda at: at.month in (1, 4, 5, 8, 12),
        lambda at: (at.hour < 12) == (at.weekday() < 3),
    ],
    ids=["hour", "weekend", "day", "month", "hour and weekday together"],
)
def test_parts_of_dates_are_seen(
    tmp_path: Path, draw: random.Random, rule: Callable[[datetime], bool]
) -> None:
    rows = [
        (at.isoformat(), f"{draw.random():.3f}", "yes" if rule(at) else "no") for at in moments(draw, 600)
    ]

    found = signal(tmp_path, rows, Feature(name="at", type="datetime"), NOISE)

    assert found["outcome"] == "passed"


WORDS = {
    "latin": ("good", "bad", ["food", "shop", "street", "naïve"]),
    "hindi": ("बढ़िया", "ख़राब", ["खाना", "दुकान", "सड़क", "आधुनिक"]),
}


@pytest.mark.parametrize("script", WORDS)
def test_words_are_seen(tmp_path: Path, draw: random.Random, script: str) -> None:
    good, bad, others = WORDS[script]
    rows = []
    for _ in range(200):
        label = draw.random() < 0.5
        words = [good if label else bad, *draw.choices(others, k=4)]
        draw.shuffle(words)
        rows.append((" ".join(words), "yes" if label else "no"))

    assert signal(tmp_path, rows, Feature(name="review", type="text"))["outcome"] == "passed"


PRODUCT = """
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

def build(columns, *, problem, seed):
    product = PolynomialFeatures(3, interaction_only=True, include_bias=False)
    return [("product", make_pipeline(SimpleImputer(), product), ["a", "b", "c"])]
"""


@pytest.mark.parametrize(("source", "outcome"), [(PRODUCT, "passed"), ("def build(): ...", "stopped")])
def test_the_models_own_features_are_seen(
    tmp_path: Path, draw: random.Random, monkeypatch: pytest.MonkeyPatch, source: str, outcome: str
) -> None:
    """The target is the sign of a product of three numbers, which only a step of the model's own shows."""
    model = f"own{outcome}"
    folder = tmp_path / "models" / model
    folder.mkdir(parents=True)
    (folder / "features.py").write_text(source)
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path / "models")])
    triples = [[draw.gauss(0, 1) for _ in "abc"] for _ in range(200)]
    rows = [(*map(repr, row), "yes" if math.prod(row) > 0 else "no") for row in triples]
    features = [Feature(name=name, type="number") for name in "abc"]

    found = signal(tmp_path, rows, *features, model=model, training=Training(features="features:build"))

    assert found["outcome"] == outcome


def test_a_few_rows_with_a_plain_relation_pass(tmp_path: Path, draw: random.Random) -> None:
    rows = [
        (f"{i + draw.gauss(0, 3):.2f}", f"{draw.random():.3f}", "yes" if i > 14 else "no") for i in range(30)
    ]

    found = signal(tmp_path, rows, Feature(name="x", type="number"), NOISE)

    assert found["outcome"] == "passed"


def test_few_rows_in_which_nothing_shows_are_warned_of_and_stop_nothing(
    tmp_path: Path, draw: random.Random
) -> None:
    rows = [(f"{draw.random():.3f}", draw.choice(["yes", "no"])) for _ in range(30)]

    found = signal(tmp_path, rows, NOISE)

    assert found["outcome"] == "warned"
    assert "30 rows are too few to tell, for only an ROC AUC of 0.9" in found["sentence"]
    assert "shuffled" not in found["sentence"]


def unrelated(draw: random.Random, count: int, make: Callable[[int], str]) -> Rows:
    return [(make(i), f"{draw.random():.3f}", draw.choice(["yes", "no"])) for i in range(count)]


@pytest.mark.parametrize(
    ("kind", "make", "reason"),
    [
        (
            "category",
            lambda i: "None" if i % 5 == 0 else f"{i / 7:.3f}",
            "a (a category of 321 values, most in fewer than 5 rows, though they are numbers: "
            'type = "number" and missing = ["None"]?)',
        ),
        ("category", lambda i: f"city {i % 300}", "a (a category of 300 values, most in fewer than 5 rows)"),
        ("number", lambda i: "" if i % 4 else str(i % 3), "a (missing in 75% of the rows)"),
        ("text", lambda i: f"word{i} other{i}", "a (a text of which no word is in 5 rows)"),
        ("number", lambda _: "3", "a (the same in every row)"),
    ],
)
def test_features_of_which_a_model_sees_little_are_named_before_labels_are_blamed(
    tmp_path: Path, draw: random.Random, kind: Any, make: Callable[[int], str], reason: str
) -> None:
    found = signal(tmp_path, unrelated(draw, 400, make), Feature(name="a", type=kind), NOISE)

    assert found["outcome"] == "stopped"
    assert f"a model can learn little from {reason}. Mend these features first" in found["sentence"]
    assert "shuffled" not in found["sentence"]


def test_labels_are_blamed_where_every_feature_is_sound(tmp_path: Path, draw: random.Random) -> None:
    found = signal(
        tmp_path, unrelated(draw, 400, lambda i: f"city {i % 7}"), Feature(name="a", type="category"), NOISE
    )

    assert found["outcome"] == "stopped"
    assert "the labels may be shuffled or joined to the wrong rows" in found["sentence"]
