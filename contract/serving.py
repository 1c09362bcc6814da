"""What goes over the wire between whoever asks for predictions and the model server.

Request: POST /invocations with a content type of `CONTENT_TYPES`. CSV has a header line.
Answer 200, `application/jsonlines`: one object a row, in the request's order, either
  {"prediction": "malignant", "probability": 0.98}                        binary: of the positive class
  {"prediction": "b", "probability_a": 0.1, "probability_b": 0.9}         multiclass: of each class
  {"prediction": 151.2}                                                   regression
  {"rejected": [{"code": "not_a_number", "column": "age", "message": "…"}]}
Answer 400, `application/json`, where the request is not this model's table:
  {"code": "missing_column", "message": "…", "column": "age", "line": 1, "byte": null}
Every 200 names the model version in the header `MODEL_VERSION_HEADER`.
"""

from __future__ import annotations

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
JSON = "application/json"
CONTENT_TYPES = (CSV, JSON_LINES, JSON)

MODEL_VERSION_HEADER = "X-Amzn-SageMaker-Custom-Attributes"
MODEL_VERSION_VARIABLE = "MILLRACE_MODEL_VERSION"
"""Environment variable of the serving container that carries the version it serves."""

MAX_REQUEST_BYTES = 6_291_456
"""SageMaker's limit on the body of InvokeEndpoint."""

PREDICTION = "prediction"
PROBABILITY = "probability"
REJECTED = "rejected"
MODEL_VERSION = "model_version"


def probability_column(class_name: str) -> str:
    """Name of the column with one class's probability in a multiclass result."""
    return f"{PROBABILITY}_{class_name}"


def is_result_column(name: str) -> bool:
    """Whether a result may add a column of this name, so that an upload may not have it."""
    return name in (PREDICTION, PROBABILITY, REJECTED, MODEL_VERSION) or name.startswith(PROBABILITY + "_")
