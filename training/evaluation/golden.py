"""Golden requests: rows of the holdout with the responses that evaluation got from the sealed artifact.

Whoever serves the model asks them again: the same bytes must answer the same, wherever they run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from contract import serving
from contract.documents.evaluation import Golden
from contract.schema import Contract
from scoring.server.predictor import Predictor
from tabular.samples import Samples
from training.evaluation.serving_cost import request

ROWS = 200


def ask(folder: Path, holdout: Samples, contract: Contract) -> Golden:
    """Rows spread evenly over the holdout, as one CSV request, and the response to each."""
    chosen = np.zeros(len(holdout), bool)
    chosen[np.unique(np.linspace(0, len(holdout) - 1, min(ROWS, len(holdout))).astype(int))] = True
    body = request(holdout.where(chosen), contract, int(chosen.sum()))
    responses = Predictor(folder).respond(serving.CSV, body.encode()).splitlines()
    return {
        "content_type": serving.CSV,
        "request": body,
        "responses": [json.loads(response) for response in responses],
    }


def write(golden: Golden, path: Path) -> str:
    """Write the document; its SHA-256, hexadecimal."""
    text = json.dumps(golden, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()
