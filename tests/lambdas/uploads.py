"""Uploads, the messages that tell of them, and the outcomes that they have."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import Any

from contract import layout
from lambdas.score_upload.logic import Scorer, score_messages
from lambdas.score_upload.settings import Settings
from tests.lambdas.fakes import MemoryBucket, MemoryMetrics, MemoryQueue, MemoryStateMachine, SignModel

KEY = "score/week 1/a+b.csv"


def event(key: str = KEY, version_id: str | None = "v0", **changes: Any) -> dict[str, Any]:
    """S3's event of an upload, as EventBridge delivers it."""
    stored = {"key": key, "size": 1, "etag": "e", "sequencer": "0"}
    if version_id is not None:
        stored["version-id"] = version_id
    detail = {"version": "0", "bucket": {"name": "data"}, "object": stored, "reason": "PutObject"}
    head = {"source": "aws.s3", "detail-type": "Object Created", "time": "2026-01-01T00:00:00Z"}
    return {**head, "detail": detail, **changes}


def message(body: Any, *, name: str = "m0", receives: int = 1) -> dict[str, Any]:
    """An SQS record with this body."""
    return {
        "messageId": name,
        "receiptHandle": f"receipt-{name}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives)},
    }


@dataclass
class World:
    """Everything score_upload touches, in memory. `pauses` are the seconds it would have waited."""

    model: SignModel = field(default_factory=SignModel)
    data: MemoryBucket = field(default_factory=lambda: MemoryBucket("data"))
    results: MemoryBucket = field(default_factory=lambda: MemoryBucket("results"))
    artifacts: MemoryBucket = field(default_factory=lambda: MemoryBucket("artifacts"))
    batches: MemoryStateMachine = field(default_factory=MemoryStateMachine)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    metrics: MemoryMetrics = field(default_factory=MemoryMetrics)
    pauses: list[float] = field(default_factory=list)
    seconds: float = 60.0
    max_upload_bytes: int = 10_000_000

    def scorer(self) -> Scorer:
        settings = Settings(
            environment="test",
            model="sign",
            results_bucket="results",
            artifacts_bucket="artifacts",
            batch_state_machine="batch",
            endpoint="endpoint",
            queue_url="queue",
            max_upload_bytes=self.max_upload_bytes,
            max_request_bytes=self.model.max_bytes,
            retry_seconds=20,
        )
        return Scorer(
            open_bucket=lambda name: {"data": self.data}[name],
            results=self.results,
            artifacts=self.artifacts,
            batches=self.batches,
            model=self.model,
            queue=self.queue,
            metrics=self.metrics,
            settings=settings,
            features={self.model.column},
            time_left=lambda: self.seconds,
            sleep=self.pauses.append,
        )

    def deliver(self, *messages: dict[str, Any]) -> list[str]:
        """Deliver a batch; the messages that were handed back."""
        failures = score_messages(messages, self.scorer())["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]

    def score(self, body: bytes, key: str = KEY) -> list[str]:
        """Upload and deliver; the messages that were handed back."""
        return self.deliver(message(event(key, self.data.put(key, body))))

    def outcomes(self) -> dict[str, bytes]:
        """The results bucket's objects, none of which was ever written twice."""
        assert all(len(versions) == 1 for versions in self.results.objects.values())
        return {key: versions[0] for key, versions in self.results.objects.items()}

    def table(self, key: str = KEY) -> list[dict[str, str]]:
        """The one outcome, a scored table."""
        assert list(self.outcomes()) == [layout.scored_key(key, "v0")]
        return read_table(self.results.read(layout.scored_key(key, "v0")))

    def reason(self, key: str = KEY) -> dict[str, Any]:
        """The one outcome, why the upload is unscorable."""
        assert list(self.outcomes()) == [layout.unscorable_key(key, "v0")]
        return dict(json.loads(self.results.read(layout.unscorable_key(key, "v0"))))


def read_table(body: bytes) -> list[dict[str, str]]:
    """A result's rows by column."""
    return list(csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True))


def to_csv(rows: list[list[str]]) -> bytes:
    """A table as any tool would write it."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
