"""The protocol between clients and the model server.

Request: POST /invocations with a content type of `CONTENT_TYPES`. CSV has a header line. Whoever can take
an answer of some length only says so with `MAX_ANSWER`.

Answer 200 to rows (`ROW_TYPES`), `application/jsonlines`: one object a row, in order, either
  {"prediction": "malignant", "probability": 0.98}                        binary: of the positive class
  {"prediction": "b", "probability_a": 0.1, "probability_b": 0.9}         multiclass: of each class
  {"prediction": 151.2}                                                   regression
  {"prediction": 151.2, "unseen": ["colour"]}                             with values new to the model
  {"prediction": null, "probability": null,                               rejected: all members, and why
   "rejected": [{"code": "not_a_number", "column": "age", "message": "…"}]}

Answer 200 to a whole table (`PARQUET`), Parquet: the request's columns and rows, in order, then
`prediction`, `probability` (or `probability_<class>`), `rejected` and `model_version`.

Answer 400, `application/json`, where the request is not this model's table:
  {"code": "missing_column", "message": "…", "column": "age", "line": 1, "byte": null}

The header `MODEL_VERSION_HEADER` of every 200 holds `Attributes`: the model version, followed for
a whole table by its counts, as in `millrace-prod-tumor/3;rows=569;rejected=2;unseen=colour:4,size:1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, takewhile
from typing import Self
from urllib.parse import quote, unquote

from contract.names.live import Live

CSV = "text/csv"
JSON_LINES = "application/jsonlines"
JSON = "application/json"
PARQUET = "application/vnd.apache.parquet"
ROW_TYPES = (CSV, JSON_LINES, JSON)
CONTENT_TYPES = (*ROW_TYPES, PARQUET)

MODEL_VERSION_HEADER = "X-Amzn-SageMaker-Custom-Attributes"

MAX_REQUEST_BYTES = 6_291_456
"""SageMaker's limit on the body of InvokeEndpoint, and of what it answers."""
MAX_SERVERLESS_BYTES = 4 * 1024 * 1024
"""The same of a serverless endpoint."""
MAX_ANSWER = "max_answer_bytes="
"""In the request's header `MODEL_VERSION_HEADER`, a number after it: a longer answer is 413, `too_large`."""
MAX_ATTRIBUTES = 1024
"""SageMaker's limit on the characters of `MODEL_VERSION_HEADER`."""

PREDICTION = "prediction"
PROBABILITY = "probability"
HIGHEST_PROBABILITY = "probability_"
"""That of the most probable of three classes or more: no column of a result, but of its baseline."""
REJECTED = "rejected"
UNSEEN = "unseen"
"""In a row's answer: columns whose category the model does not know; absent where there is none."""
MODEL_VERSION = Live.MODEL_VERSION.value


def probability_column(class_name: str) -> str:
    """Name of the column with one class's probability in a multiclass result."""
    return f"{PROBABILITY}_{class_name}"


def probability_columns(problem: str, classes: Sequence[str]) -> list[str]:
    """Names of the columns of numbers that a result has beside its prediction."""
    return {"binary": [PROBABILITY], "multiclass": [*map(probability_column, classes)]}.get(problem, [])


def is_result_column(name: str) -> bool:
    """Return True if a result may add a column of this name, so that an upload may not have it."""
    return name in (PREDICTION, PROBABILITY, REJECTED, MODEL_VERSION) or name.startswith(PROBABILITY + "_")


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """The attributes of a response.

    `rows`, of those `rejected`, and by column how many of the others are `unseen` categories are set
    for a whole table only.
    """

    model_version: str
    rows: int | None = None
    rejected: int | None = None
    unseen: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = {"rows": self.rows, "rejected": self.rejected}
        parts = [self.model_version, *(f"{name}={n}" for name, n in counts.items() if n is not None)]
        if self.unseen:
            # SageMaker takes so many characters: of more columns, those with the fewest are left out.
            most_first = sorted(self.unseen.items(), key=lambda item: (-item[1], item[0]))
            pairs = [f"{quote(name, safe='')}:{count}" for name, count in most_first]
            left = MAX_ATTRIBUTES - len(";".join([*parts, "unseen="]))
            fit = sum(
                1 for _ in takewhile(lambda size: size <= left + 1, accumulate(len(p) + 1 for p in pairs))
            )
            parts += ["unseen=" + ",".join(pairs[:fit])] if fit else []
        return ";".join(parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the header's value.

        Raises:
            ValueError: what follows the model version are not its counts.
        """
        version, *counts = text.split(";")
        values = dict(count.split("=", 1) for count in counts)
        if not values:
            return cls(model_version=version)
        pairs = [pair.split(":", 1) for pair in values.pop("unseen", "").split(",") if pair]
        if values.keys() != {"rows", "rejected"}:
            raise ValueError(f"{text!r} has other attributes than rows, rejected and unseen")
        return cls(
            model_version=version,
            rows=_count(values["rows"]),
            rejected=_count(values["rejected"]),
            unseen={unquote(name): _count(count) for name, count in pairs},
        )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is no count")
    return int(text)
