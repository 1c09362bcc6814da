"""One fitted model, twice: sealed as Millrace serves it, and pickled as the others do."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks import tables
from contract.schema import Contract
from tabular.onnx_session import Graph
from tabular.samples import Samples
from training.jobs import train
from training.model.checkpoints import Checkpoints
from training.model.fit import fit

TRAINING_ROWS = 20_000
CHECKED_ROWS = 500
TOLERANCE = 1e-3
"""Largest difference of a probability between both, which are fitted apart where that is kinder to peers."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:
    """Where both forms of one estimator's model are."""

    contract: Contract
    folder: Path

    @property
    def artifact(self) -> Path:
        """Folder of a sealed artifact."""
        return self.folder / "artifact"

    @property
    def pickle(self) -> Path:
        """Folder with `model.joblib`: a pipeline that takes a DataFrame."""
        return self.folder / "pickle"


def fitted(estimator: str, folder: Path, rows: int = TRAINING_ROWS) -> Models:
    """Both forms, made once for a contract and kept in a folder."""
    contract = tables.contract(estimator)
    digest = hashlib.sha256(contract.to_json().encode()).hexdigest()
    models = Models(contract, folder / f"{estimator}-{digest[:12]}")
    if not (models.pickle / "model.joblib").exists():
        samples = tables.draw(rows, seed=1)
        held_out = tables.draw(CHECKED_ROWS, seed=2)
        for path in (models.artifact, models.pickle):
            path.mkdir(parents=True, exist_ok=True)
        train.build(
            models.contract, samples, held_out, {}, models.artifact, tuned={}, checkpoints=Checkpoints()
        )
        pipeline = _pipeline(models.contract, samples)
        _check_same(pipeline, Graph((models.artifact / "model.onnx").read_bytes()), held_out)
        joblib.dump(pipeline, models.pickle / "model.joblib")
    return models


def _pipeline(contract: Contract, samples: Samples) -> Pipeline:
    """The same model as people write it with scikit-learn alone: behind one ColumnTransformer."""
    numbers = [feature.name for feature in contract.numeric]
    categories = [feature.name for feature in contract.categorical]
    frame = pd.DataFrame(tables.columns(samples))
    if contract.training.estimator == "logistic-regression":
        scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        columns = ColumnTransformer(
            [("numbers", scaled, numbers), ("categories", OneHotEncoder(handle_unknown="ignore"), categories)]
        )
        estimator = LogisticRegression(max_iter=1000)
        return make_pipeline(columns, estimator).fit(frame, samples.target == contract.target.positive)
    model = fit(samples, contract)
    assert model.encoder is not None
    encoder = OrdinalEncoder(
        categories=model.encoder.categories_, handle_unknown="use_encoded_value", unknown_value=-1
    )
    columns = ColumnTransformer([("numbers", "passthrough", numbers), ("categories", encoder, categories)])
    return make_pipeline(columns.fit(frame), model.estimator)


def _check_same(pipeline: Any, graph: Graph, samples: Samples) -> None:
    expected = graph.run(samples.numbers, samples.categories)
    found = pipeline.predict_proba(pd.DataFrame(tables.columns(samples)))
    difference = float(np.abs(found - expected).max())
    if difference > TOLERANCE:
        raise AssertionError(f"the models compared differ by {difference:g} in probability")
