"""What goes over the wire between whoever asks for predictions and the model server.

Request: POST /invocations with a content type of `CONTENT_TYPES`. CSV has a header line.

Answer 200 to rows (`ROW_TYPES`), `application/jsonlines`: one object a row, in order, either
  {"prediction": "malignant", "probability": 0.98}                        binary: of the positive class
  {"prediction": "b", "probability_a": 0.1, "probability_b": 0.9}         multiclass: of each class
  {"prediction": 151.2}                                                   regression
  {"rejected": [{"code": "not_a_number", "column": "age", "message": "…"}]}

Answer 200 to a whole table (`PARQUET`), Parquet: the request's columns and rows, in order, then
`prediction`, `probability` (or `probability_<class>`), `rejected` and `model_version`.

Answer 400, `application/json`, where the request is not this model's table:
  {"code": "missing_column", "message": "…", "column": "age", "line": 1, "byte": null}

The header `MODEL_VERSION_HEADER` of every 200 holds `Attributes`: the model version, followed for
a whole table by its counts, as in `millrace-prod-tumor/3;rows=569;rejected=2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"
ROW_TYPES = (CSV, JSON_LINES, JSON)
CONTENT_TYPES = (*ROW_TYPES, PARQUET)

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


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What an answer says about itself. `rows` and, of those, `rejected` are set for a whole table only."""

    model_version: str
    rows: int | None = None
    rejected: int | None = None

    def __str__(self) -> str:
        counts = {"rows": self.rows, "rejected": self.rejected}
        told = (f"{name}={count}" for name, count in counts.items() if count is not None)
        return ";".join((self.model_version, *told))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the header's value.

        Raises:
            ValueError: what follows the model version are not its counts.
        """
        version, *counts = text.split(";")
        told = dict(count.split("=", 1) for count in counts)
        if not told:
            return cls(model_version=version)
        if told.keys() != {"rows", "rejected"} or not all(map(str.isdecimal, told.values())):
            raise ValueError(f"{text!r} has other attributes than rows and rejected")
        return cls(model_version=version, rows=int(told["rows"]), rejected=int(told["rejected"]))
