"""Stand-ins for AWS that implement `lambdas.adapters.ports`, and a model that can be told to misbehave."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

from contract import serving
from contract.metrics import Dimension, Metric
from lambdas.adapters.errors import AlreadyExists, AwsError, ModelRefused, NotFound
from lambdas.adapters.ports import Answer, ListedVersion, ObjectVersion, StoredObject

MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class MemoryBucket:
    """A versioned bucket in memory; its versions are v0, v1, … of each key."""

    name: str = "bucket"
    objects: dict[str, list[bytes]] = field(default_factory=dict)
    modified: dict[str, float] = field(default_factory=dict)
    """When objects were written, by their key, or by key and version as in `a.csv@v0`."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, key: str, body: bytes) -> str:
        with self.lock:
            versions = self.objects.setdefault(key, [])
            versions.append(body)
            return f"v{len(versions) - 1}"

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        try:
            body = self.objects[key][int(version_id[1:]) if version_id else -1]
        except (KeyError, IndexError):
            raise NotFound("GetObject", "NoSuchVersion", key) from None
        return StoredObject(stream=io.BytesIO(body), size=len(body), last_modified=MODIFIED)

    def read(self, key: str) -> bytes:
        return self.open(key).stream.read()

    def exists(self, key: str) -> bool:
        return key in self.objects

    def holds(self, prefix: str) -> bool:
        return any(key.startswith(prefix) for key in self.objects)

    def has_version(self, key: str, version_id: str) -> bool:
        return any((v.key, v.version_id) == (key, version_id) for v in self._listed(key))

    def replace(self, key: str, body: bytes, content_type: str) -> None:
        self.put(key, body)

    def versions(self, prefix: str, after: str) -> Iterator[ListedVersion]:
        return (version for version in self._listed(prefix) if version.key > after)

    def _listed(self, prefix: str) -> list[ListedVersion]:
        return [
            ListedVersion(
                key=key,
                version_id=f"v{n}",
                last_modified=self.modified.get(f"{key}@v{n}", self.modified.get(key, MODIFIED.timestamp())),
            )
            for key, versions in sorted(self.objects.items())
            for n in reversed(range(len(versions)))
            if key.startswith(prefix)
        ]

    def withdraw(self, key: str) -> None:
        with self.lock:
            self.objects.pop(key, None)

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        data = body if isinstance(body, bytes) else body.read()
        with self.lock:
            if key in self.objects:
                raise AlreadyExists("PutObject", "PreconditionFailed", key)
            self.objects[key] = [data]

    def current_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        for key, versions in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield ObjectVersion(key=key, version_id=f"v{len(versions) - 1}", size=len(versions[-1]))

    def copy(self, source: ObjectVersion, key: str) -> None:
        self.put(key, self.open(source.key, source.version_id).stream.read())


@dataclass
class MemoryStateMachine:
    """A state machine's executions, by name."""

    executions: dict[str, Mapping[str, str]] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def start(self, name: str, argument: Mapping[str, str]) -> None:
        self.executions.setdefault(name, argument)

    def running(self) -> Collection[str]:
        return self.executions.keys() - self.ended


@dataclass
class MemoryParameter:
    """A parameter that may not be there."""

    value: str = ""

    def read(self) -> str:
        if not self.value:
            raise NotFound("GetParameter", "ParameterNotFound", "")
        return self.value


@dataclass
class MemoryRegistry:
    """Model packages, by ARN."""

    packages: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def made_of(self, group: str, origin: Mapping[str, str]) -> str:
        found = [
            arn
            for arn, package in self.packages.items()
            if package.get("ModelPackageGroupName") == group
            and origin.items() <= package.get("CustomerMetadataProperties", {}).items()
        ]
        return found[-1] if found else ""

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        try:
            return self.packages[model_package_arn]
        except KeyError:
            raise NotFound("DescribeModelPackage", "ValidationException", model_package_arn) from None


@dataclass
class MemoryQueue:
    """Remembers by how long each message was delayed, and what was sent."""

    delays: dict[str, int] = field(default_factory=dict)

    sent: list[str] = field(default_factory=list)

    def delay(self, receipt_handle: str, seconds: int) -> None:
        self.delays[receipt_handle] = seconds

    def send(self, bodies: Sequence[str]) -> None:
        self.sent.extend(bodies)


@dataclass
class MemoryMetrics:
    """Remembers what was emitted."""

    emitted: list[Mapping[Metric, float]] = field(default_factory=list)
    by: list[Mapping[Dimension, str]] = field(default_factory=list)
    """The further dimensions of each, as `emitted`."""

    def emit(self, values: Mapping[Metric, float], by: Mapping[Dimension, str] | None = None) -> None:
        self.emitted.append(values)
        self.by.append(by or {})


Rows = Iterable[Mapping[str, Any]]


def _csv(text: str) -> tuple[Collection[str], Rows]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return rows.fieldnames or (), rows


def _json_lines(text: str) -> tuple[Collection[str], Rows]:
    rows = [json.loads(line, parse_int=str, parse_float=str) for line in text.split("\n") if line]
    return {name for row in rows for name in row}, rows


_READERS = {serving.CSV: _csv, serving.JSON_LINES: _json_lines}


@dataclass
class SignModel:
    """Says whether the column `x` is positive. Each of `failures` is raised once, before it answers again."""

    column: str = "x"
    version: str = "sign/1"
    problem: str = "binary"
    classes: tuple[str, ...] = ("negative", "positive")
    failures: list[AwsError] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    remembers: bool = True
    max_bytes: int = serving.MAX_REQUEST_BYTES
    lock: threading.Lock = field(default_factory=threading.Lock)

    def predict(self, body: bytes, content_type: str) -> Answer:
        with self.lock:
            self.requests.append(body if self.remembers else b"")
            if self.failures:
                raise self.failures.pop(0)
        status, said = self.answer(body, content_type)
        if status == 200 and len(said) > self.max_bytes:
            status, said = 413, b"{}"
        if status != 200:
            raise ModelRefused("InvokeEndpoint", status, said.decode())
        return Answer(body=said, model_version=self.version)

    def answer(self, body: bytes, content_type: str = serving.CSV) -> tuple[int, bytes]:
        """Status and body, as the model server gives them."""
        columns, rows = _READERS[content_type](body.decode())
        if self.column not in columns:
            message = f"The column {self.column!r} is missing."
            refusal = {
                "code": "missing_column",
                "message": message,
                "column": self.column,
                "line": 1,
                "byte": None,
            }
            return 400, json.dumps(refusal).encode()
        return 200, "".join(json.dumps(self._row(row.get(self.column))) + "\n" for row in rows).encode()

    def _row(self, text: Any) -> dict[str, Any]:
        try:
            x = float(text)
            if not math.isfinite(x):
                raise ValueError
        except (ValueError, TypeError):
            message = f"{text!r} is not a number"
            return {"rejected": [{"code": "not_a_number", "column": self.column, "message": message}]}
        label = self.classes[x > 0]
        if self.problem == "regression":
            return {"prediction": x}
        if self.problem == "binary":
            return {"prediction": label, "probability": float(x > 0)}
        return {"prediction": label, **{f"probability_{c}": float(c == label) for c in self.classes}}
