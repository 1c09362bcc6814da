"""What a team writes for SageMaker's scikit-learn container: four functions around a pickled pipeline."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import joblib
import pandas as pd


def model_fn(model_dir: str) -> Any:
    return joblib.load(Path(model_dir) / "model.joblib")


def input_fn(body: bytes, content_type: str) -> pd.DataFrame:
    if content_type == "text/csv":
        return pd.read_csv(io.BytesIO(body))
    if content_type == "application/json":
        return pd.DataFrame(json.loads(body))
    raise ValueError(f"unsupported content type {content_type}")


def predict_fn(frame: pd.DataFrame, model: Any) -> Any:
    return model.predict_proba(frame)[:, 1]


def output_fn(prediction: Any, accept: str) -> str:  # noqa: ARG001 - SageMaker's signature
    return json.dumps(prediction.tolist())
