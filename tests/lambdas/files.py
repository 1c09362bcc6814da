"""Files of every format, and what scoring one file comes to."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Collection
from io import BytesIO
from typing import IO, Any

from lambdas.adapters.ports import ModelServer, StoredObject
from lambdas.score_upload.concurrency import Patience
from lambdas.score_upload.scoring import Result, score_file
from tests.lambdas.fakes import MODIFIED, SignModel

PATIENCE = Patience(spare_seconds=lambda: 60.0, sleep=lambda seconds: None)


def score(key: str, body: bytes, **options: Any) -> tuple[Result, bytes]:
    """The result of an upload under `score/`, and its bytes. Raises as `score_file`."""
    file = BytesIO()
    return score_into(file, key, body, **options), file.getvalue()


def score_into(
    file: IO[bytes],
    key: str,
    body: bytes,
    *,
    model: ModelServer | None = None,
    features: Collection[str] = ("x",),
    max_bytes: int = 50_000_000,
) -> Result:
    """Write the result of an upload under `score/` to a file. Raises as `score_file`."""
    return score_file(
        f"score/{key}",
        StoredObject(stream=BytesIO(body), size=len(body), last_modified=MODIFIED),
        file,
        model=model or SignModel(),
        patience=PATIENCE,
        features=features,
        max_bytes=max_bytes,
    )


def delimited(rows: list[list[str]], delimiter: str = ",", codec: str = "utf-8", end: str = "\n") -> bytes:
    """A CSV as a spreadsheet would write it."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode(codec)


def fields(body: bytes, delimiter: str = ",", codec: str = "utf-8") -> list[list[str]]:
    """The records of a CSV, the header first."""
    text = io.StringIO(body.decode(codec), newline="")
    return list(csv.reader(text, delimiter=delimiter, strict=True))


def json_lines(*objects: Any) -> bytes:
    """Objects, one a line."""
    return "".join(json.dumps(found) + "\n" for found in objects).encode()


def plain(result: Result, body: bytes) -> bytes:
    """The content of a result."""
    return gzip.decompress(body) if result.compressed else body
