"""The requests that ask each server for the predictions of the same rows."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
from pyarrow import csv

from benchmarks import tables
from benchmarks.load import http_request
from tabular.samples import Samples

CSV, JSON = "text/csv", "application/json"
FORMATS = {"CSV": CSV, "JSON": JSON}


def csv_body(samples: Samples) -> bytes:
    """Rows under a header."""
    stream = io.BytesIO()
    options = csv.WriteOptions(quoting_style="none", quoting_header="none")
    csv.write_csv(pa.table(tables.columns(samples)), stream, options)
    return stream.getvalue()


def json_body(samples: Samples) -> bytes:
    """A list of objects, numbers as numbers."""
    return json.dumps(pa.table(tables.columns(samples)).to_pylist()).encode()


def invocation(content_type: str, samples: Samples) -> bytes:
    """A request to SageMaker's /invocations."""
    return http_request("/invocations", content_type, _body(content_type, samples))


def fastapi(content_type: str, samples: Samples) -> bytes:
    """A request to the route that takes the format."""
    path = "/csv" if content_type == CSV else "/json"
    return http_request(path, content_type, _body(content_type, samples))


def open_inference(_content_type: str, samples: Samples) -> bytes:
    """A request of the Open Inference Protocol, which has one format, to MLServer's pandas codec."""
    inputs = [_column(name, values.tolist()) for name, values in tables.columns(samples).items()]
    document = {"parameters": {"content_type": "pd"}, "inputs": inputs}
    outputs = {"outputs": [{"name": "predict_proba"}]}
    body = json.dumps({**document, **outputs}).encode()
    return http_request("/v2/models/benchmark/infer", JSON, body)


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    described = {"name": name, "shape": [len(values), 1], "data": values}
    if isinstance(values[0], str):
        return {**described, "datatype": "BYTES", "parameters": {"content_type": "str"}}
    return {**described, "datatype": "INT64" if isinstance(values[0], int) else "FP64"}


def _body(content_type: str, samples: Samples) -> bytes:
    return csv_body(samples) if content_type == CSV else json_body(samples)
