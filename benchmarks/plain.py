"""What people write with pandas and scikit-learn alone: `python -m benchmarks.plain TABLE ESTIMATOR`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from benchmarks.tables import ESTIMATORS


def pipeline(estimator: str) -> Any:
    """The same estimator with the same parameters, behind one ColumnTransformer."""
    numbers, texts = (
        make_column_selector(dtype_include="number"),
        make_column_selector(dtype_exclude="number"),
    )
    if estimator == "logistic-regression":
        columns = make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            (OneHotEncoder(handle_unknown="ignore"), texts),
        )
        return make_pipeline(columns, LogisticRegression(max_iter=1000))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, texts), remainder="passthrough")
    return make_pipeline(columns, HistGradientBoostingClassifier(random_state=7, **ESTIMATORS[estimator]))


def fitted_roc_auc(path: Path, estimator: str) -> float:
    """Read a table, fit on four fifths of it, and measure on the rest."""
    frame = pd.read_csv(path, na_values=["?"])
    target = frame.pop("outcome") == "yes"
    train, held_out, truth, held_truth = train_test_split(frame, target, test_size=0.2, random_state=7)
    model = pipeline(estimator).fit(train, truth)
    return float(roc_auc_score(held_truth, model.predict_proba(held_out)[:, 1]))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fitted_roc_auc(Path(sys.argv[1]), sys.argv[2])))
