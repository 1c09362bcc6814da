"""FastAPI around a pickled scikit-learn pipeline, as its tutorials do it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from fastapi import FastAPI, Request

app = FastAPI()
model = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")


async def ping() -> str:
    return "ok"


async def from_csv(request: Request) -> list[float]:
    return _predicted(pd.read_csv(io.BytesIO(await request.body())))


async def from_json(rows: list[dict[str, Any]]) -> list[float]:
    return _predicted(pd.DataFrame(rows))


def _predicted(frame: pd.DataFrame) -> list[float]:
    probabilities: list[float] = model.predict_proba(frame)[:, 1].tolist()
    return probabilities


app.add_api_route("/ping", ping)
app.add_api_route("/csv", from_csv, methods=["POST"])
app.add_api_route("/json", from_json, methods=["POST"])
