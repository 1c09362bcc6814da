"""The model server itself, without HTTP, where SageMaker's endpoint would be."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

from contract import serving
from contract.reasons import Unscorable
from lambdas.adapters.errors import ModelRefused
from lambdas.adapters.ports import Answer
from training.parquet import TableScorer, result_fields
from training.predictor import Predictor

VERSION = "millrace-test-mixed/7"


class RealModel:
    """A sealed model, as `lambdas.adapters.ports.ModelServer`."""

    max_bytes = serving.MAX_REQUEST_BYTES

    def __init__(self, folder: Path) -> None:
        self._predictor = Predictor(folder)
        contract = self._predictor.contract
        self.features = contract.feature_names
        self._tables = TableScorer(
            partial(self._predictor.answer, serving.CSV),
            features=contract.feature_names,
            fields=result_fields(contract.problem, self._predictor.classes),
            model_version=VERSION,
        )

    def predict(self, body: bytes, content_type: str) -> Answer:
        try:
            if content_type == serving.PARQUET:
                table = self._tables.answer(body)
                return Answer(model_version=VERSION, **table._asdict())
            return Answer(body=self._predictor.answer(content_type, body).encode(), model_version=VERSION)
        except Unscorable as why:
            raise ModelRefused("InvokeEndpoint", 400, json.dumps(asdict(why))) from why
