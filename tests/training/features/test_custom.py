"""A model's own features: fitted by scikit-learn, made by ONNX, and refused where both would part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, PowerTransformer, StandardScaler

from container.errors import ModelCodeError
from contract.schema import Training
from tabular.onnx_session import Graph
from tests.fixtures.tables import ESTIMATORS, samples_of, tickets
from training.features import custom as steps
from training.features.onnx_nodes import Fragment
from training.model.fit import FittedModel, fit
from training.model.onnx_export import check_detached, check_parity, to_onnx

Own = Callable[..., FittedModel]
README = (Path(__file__).parents[3] / "models" / "README.md").read_text()
CONTRACT, SAMPLES = samples_of("binary", tickets())


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Own:
    """Fits the tickets with a `features.py` of this text."""

    def fitted(source: str, **training: Any) -> FittedModel:
        name = f"own{abs(hash((source, str(tmp_path))))}"
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "features.py").write_text(source)
        import models

        monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path / "models")])
        options = Training(features="features:build", **training)
        return fit(SAMPLES, replace(CONTRACT, model=name, training=options))

    return fitted


def example() -> str:
    return README.split("## Your own features", 1)[1].partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_readmes_example_is_trained_exported_and_served(own: Own, estimator: str) -> None:
    model = own(example(), estimator=estimator)
    names = [name for fragment in model.derived.own for name in fragment.names]
    assert (names[0], names[12], names[-1]) == ("topics 0", "times 2", "waits 3")
    exported = to_onnx(model, CONTRACT)
    check_parity(model, Graph(exported), SAMPLES)
    check_detached(exported, SAMPLES)


def test_the_same_rows_give_the_same_bytes(own: Own) -> None:
    model = own(example())
    again = fit(SAMPLES, replace(CONTRACT, training=Training()))
    assert to_onnx(model, CONTRACT) != to_onnx(again, CONTRACT), "the features are there"
    twice = (
        steps_fitted(lambda: PowerTransformer(), ["waited"]),
        steps_fitted(lambda: PowerTransformer(), ["waited"]),
    )
    assert [node.SerializeToString() for node in twice[0].nodes] == [
        node.SerializeToString() for node in twice[1].nodes
    ]


def steps_fitted(make: Callable[[], Any], wanted: Any) -> Fragment:
    step = next(iter(steps._steps(CONTRACT, [("mine", make(), wanted)])))
    made = steps.fit(step, BASE, SAMPLES.texts, TARGET)
    return steps.fragment(step, made.shape[1], "base")


BASE = np.hstack([SAMPLES.numbers, np.arange(len(SAMPLES))[:, None] % 3]).astype(np.float32)
TARGET = SAMPLES.coded_target(SAMPLES.classes(CONTRACT))


@pytest.mark.parametrize(
    ("make", "wanted", "columns"),
    [
        (lambda: PowerTransformer(), ["waited"], 1),
        (lambda: OneHotEncoder(handle_unknown="ignore"), ["channel"], 3),
        (lambda: TfidfVectorizer(), "note", None),
        (lambda: TfidfVectorizer(analyzer="char", ngram_range=(2, 3), max_features=20), "subject", 20),
        (lambda: TfidfVectorizer(stop_words=["order"], ngram_range=(1, 2), max_features=9), "subject", 9),
    ],
)
def test_what_can_be_exported(make: Callable[[], Any], wanted: Any, columns: int | None) -> None:
    fragment = steps_fitted(make, wanted)
    assert columns in (None, len(fragment.names))


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What only this process knows."""

    def fit(self, *_: Any) -> Doubled:
        return self

    def transform(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return 2 * rows


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: FunctionTransformer(np.log1p), ["waited"]),
        (Doubled, ["waited"]),
        (lambda: TfidfVectorizer(analyzer="char_wb"), "note"),
        (lambda: TfidfVectorizer(tokenizer=str.split, token_pattern=None), "note"),
    ],
)
def test_what_cannot_be_exported_says_so_first_and_what_to_do(make: Callable[[], Any], wanted: Any) -> None:
    with pytest.raises(ModelCodeError) as refused:
        steps_fitted(make, wanted)
    first, *_ = str(refused.value).splitlines()
    assert "Model code: features: 'mine' cannot be exported to ONNX" in first
    assert 'see "Your own features" in models/README.md' in first


def test_what_is_exported_as_something_else_is_found(own: Own) -> None:
    step = steps.Step("mine", StandardScaler(), (1,), of_text=False)
    expected = steps.fit(step, BASE, SAMPLES.texts, TARGET)
    steps.check(step, expected, expected.astype(np.float32))
    with pytest.raises(
        ModelCodeError, match=r"'mine' is not the same in ONNX.* row that differs is 7, by 0\.005"
    ):
        steps.check(
            step, expected, (expected + 0.01 * (np.arange(len(expected)) >= 7)[:, None]).astype(np.float32)
        )
    with pytest.raises(ModelCodeError, match="is not the same in ONNX"):
        steps.check(step, expected, np.full(expected.shape, np.nan, np.float32))


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("[('a', None, ['nothing'])]", "'a' asks for 'nothing': a step takes features"),
        ("[('a', None, ['note'])]", "'a' asks for 'note': a step takes a text alone"),
        ("[('a', None, 'waited'), ('a', None, 'waited')]", "'a': each step has a name of its own"),
        ("[('a b', None, 'waited')]", "'a b': each step has a name of its own"),
        ("None", "TypeError"),
        ("[('a', StandardScaler(), ['waited', 'opened']), 7]", "cannot unpack non-iterable int"),
        ("[('a', PCA(1), ['waited', 'opened'])]", "'a' fails to fit: ValueError: Input X contains NaN"),
    ],
)
def test_what_is_wrong_is_said_of_the_models_code(own: Own, returned: str, said: str) -> None:
    source = "from sklearn.decomposition import PCA\nfrom sklearn.preprocessing import StandardScaler\n"
    with pytest.raises(ModelCodeError) as refused:
        own(f"{source}def build(columns, *, problem, seed):\n    return {returned}\n")
    assert said in str(refused.value).splitlines()[0]


def test_a_function_that_is_not_there_is_named() -> None:
    options = Training(features="features:build")
    with pytest.raises(
        ModelCodeError, match="features 'features:build' cannot be built: ModuleNotFoundError"
    ):
        fit(SAMPLES, replace(CONTRACT, model="nowhere", training=options))


def test_what_it_makes_is_what_scikit_learn_makes(own: Own) -> None:
    source = (
        "from sklearn.preprocessing import StandardScaler\n"
        "def build(columns, *, problem, seed):\n"
        "    assert columns.categories == (('channel', 3),)\n"
        "    return [('scaled', StandardScaler(), ['waited'])]\n"
    )
    model = own(source)
    waited = SAMPLES.numbers[:, 1].astype(np.float64)
    base = np.hstack([SAMPLES.numbers, np.zeros((len(SAMPLES), 1), np.float32)])
    found = model.derived.matrix(base, SAMPLES.texts)[:, -1]
    np.testing.assert_allclose(found, (waited - waited.mean()) / waited.std(), atol=1e-5)
