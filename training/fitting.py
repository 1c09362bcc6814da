"""Fitting: samples in, a scikit-learn model out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from contract.schema import Contract
from training import estimators, features
from training.failures import ModelCodeError
from training.samples import Samples

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FittedModel:
    """A fitted estimator and the encoder before it. `classes` is empty of a regression."""

    encoder: OrdinalEncoder | None
    estimator: Any
    classes: tuple[str, ...]

    def predict(self, samples: Samples) -> NDArray[np.float64]:
        """Probabilities [n, classes], or values [n] of a regression."""
        matrix = features.matrix(samples, self.encoder)
        found = self.estimator.predict_proba(matrix) if self.classes else self.estimator.predict(matrix)
        return np.asarray(found, np.float64)


def fit(samples: Samples, contract: Contract) -> FittedModel:
    """Fit what the contract names.

    Raises:
        ModelCodeError: the estimator cannot be built, or fails on these samples.
    """
    classes = samples.classes(contract)
    target = samples.coded_target(classes)
    encoder = features.fit_encoder(samples, target, contract)
    estimator = estimators.build(contract, features.columns(contract, encoder))
    # In 64 bits a solver converges; values stay those of the 32 bits that the server will see.
    matrix = features.matrix(samples, encoder).astype(np.float64)
    try:
        # A sum over several threads depends on how many there are.
        with threadpool_limits(limits=1, user_api="blas"):
            estimator.fit(matrix, target)
    except Exception as error:
        log.exception("fitting")
        named = contract.training.estimator
        raise ModelCodeError(f"{named!r} fails to fit: {type(error).__name__}: {error}") from error
    return FittedModel(encoder, estimator, classes)
