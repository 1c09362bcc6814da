"""Fitting: samples in, a scikit-learn model out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import parallel_config
from numpy.typing import NDArray
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from container.errors import DataError, ModelCodeError
from contract.schema import Contract
from tabular.samples import Samples
from training.features import estimator_input
from training.features.derived import Derived, learn
from training.features.tfidf import RARE_ROWS
from training.model import estimators

MANY_ROWS = 5_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FittedModel:
    """A fitted estimator and what comes before it. `classes` is empty of a regression."""

    encoder: OrdinalEncoder | None
    derived: Derived
    estimator: Any
    classes: tuple[str, ...]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Probabilities [n, classes], or values [n] of a regression.

        Raises:
            ModelCodeError: the estimator fails on these samples.
        """
        matrix = self.derived.matrix(estimator_input.base(samples, self.encoder), samples.texts)
        try:
            predict = self.estimator.predict_proba if self.classes else self.estimator.predict
            predictions = predict(matrix)
        except Exception as error:
            log.exception("predicting")
            raise ModelCodeError(
                f"the estimator fails to predict: {type(error).__name__}: {error}"
            ) from error
        return np.asarray(predictions, np.float64)


def fit(samples: Samples, contract: Contract) -> FittedModel:
    """Fit what the contract names.

    Raises:
        DataError: there is nothing in these samples that a model could be fitted on.
        ModelCodeError: the features or the estimator cannot be built, or fail on these samples.
    """
    classes = samples.classes(contract)
    target = samples.coded_target(classes)
    encoder = estimator_input.fit_encoder(samples, target, contract)
    base = estimator_input.base(samples, encoder)
    columns = estimator_input.base_columns(contract, encoder)
    derived = learn(contract, columns, samples, base, target)
    estimator = estimators.build(contract, estimator_input.with_derived(columns, derived))
    # In 64 bits a solver converges; values stay those of the 32 bits that the server will see.
    matrix = derived.matrix(base, samples.texts).astype(np.float64)
    # Of a column without any value nothing can be learned, and no estimator need find that out.
    matrix[:, np.isnan(matrix).all(axis=0)] = 0
    if not matrix.shape[1]:
        names = ", ".join(feature.name for feature in contract.textual)
        raise DataError(f"{names}: no word is in {RARE_ROWS} rows or more, and there is no other feature.")
    try:
        # A sum over several threads depends on how many there are and which is first. Trees that grow at
        # once sum nothing; what they predict is a sum, and so left to one thread. To few rows several
        # threads are in each other's way.
        only = "blas" if len(samples) >= MANY_ROWS else None
        with threadpool_limits(limits=1, user_api=only), parallel_config("threading", n_jobs=-1):
            estimator.fit(matrix, target)
    except Exception as error:
        log.exception("fitting")
        named = contract.training.estimator
        raise ModelCodeError(f"{named!r} fails to fit: {type(error).__name__}: {error}") from error
    return FittedModel(encoder, derived, estimator, classes)
