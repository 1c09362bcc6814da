"""An account with one model, and what happens in it over two weeks: uploads, releases, outages, a person.

The functions' real handlers run on the adapters' real clients; the services are simulated.
"""

from __future__ import annotations

import heapq
import json
import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import TextIOBase
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters import ordered_map
from contract.events import object_created
from contract.layout import RECONCILIATION_KEY, batch_id, batch_upload_key
from lambdas.reconcile_uploads import outcome_lookup as looks
from lambdas.reconcile_uploads.handler import handler as reconcile_uploads
from lambdas.score_upload.handler import handler as score_upload
from tests.simulator.clock import HOUR, Clock
from tests.simulator.faults import Plan
from tests.simulator.law import Law, Verdict, Violation
from tests.simulator.models import Models
from tests.simulator.s3 import Bucket, Version
from tests.simulator.sqs import Message, Queue
from tests.simulator.tables import LARGEST, Upload
from tests.simulator.threads import Pool, wait
from tests.simulator.wire import Invocation, Killed, Refusal, Request, Response, Wire

FUNCTION_SECONDS = 900.0
ENDPOINT = "millrace-sim-simulated"
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "ENVIRONMENT": "sim",
    "MODEL": "simulated",
    "DATA_BUCKET": "data",
    "RESULTS_BUCKET": "results",
    "ARTIFACTS_BUCKET": "artifacts",
    "ENDPOINT": ENDPOINT,
    "QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/score",
    "MAX_REQUEST_BYTES": "6291456",
    "MAX_UPLOAD_BYTES": str(LARGEST),
    "RETRY_SECONDS": "30",
    "BATCH_STATE_MACHINE": "arn:aws:states:eu-central-1:000000000000:stateMachine:batch",
    "AFTER_SECONDS": str(int(12 * HOUR)),
}

Outage = Callable[[Request], Refusal | None]


@dataclass(frozen=True)
class Context:
    """What Lambda tells a function about its invocation."""

    clock: Clock
    invocation: Invocation
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.invocation.deadline - self.clock.now) * 1000)


@dataclass
class World:
    """Everything. `random` decides what happens between the functions' calls, `plan` what does at them."""

    models: Models
    random: Random
    plan: Plan
    clock: Clock = field(default_factory=Clock)
    happened: Counter[str] = field(default_factory=Counter)
    outages: list[tuple[float, float, Outage]] = field(default_factory=list)
    removed: list[Version] = field(default_factory=list)
    meant: dict[bytes, Upload] = field(default_factory=dict)
    batches: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.data, self.results, self.artifacts = (Bucket(self.clock) for _ in range(3))
        self.dead_letters = Queue(self.clock)
        self.queue = Queue(
            self.clock,
            visibility_seconds=6 * FUNCTION_SECONDS,
            max_receives=8,
            dead_letters=self.dead_letters,
        )
        self.live = next(iter(self.models.values()))
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self.wire = Wire(
            clock=self.clock,
            plan=self.plan,
            serve=self._serve,
            outage=self._outage,
            others=self._deliver_others,
            swap=self.release,
        )

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._agenda, (moment, next(self._numbers), action))

    def upload(self, upload: Upload, key: str, *, delays: tuple[float, ...] = (0.0,)) -> Version:
        """Put a file under `score/`. Its event is delivered after each of the delays: never, once or often."""
        self.meant[upload.body] = upload
        version = self.data.put(key, upload.body)
        event = object_created(bucket="data", key=key, version_id=version.version_id, reason="PutObject")
        for delay in delays:
            self.at(self.clock.now + delay, lambda: self.queue.send(json.dumps(event)))
        return version

    def remove(self, version: Version) -> None:
        """Its owner deletes an upload for good."""
        self.data.remove(version)
        self.removed.append(version)

    def check(self) -> Verdict:
        """The conservation law, from the buckets as they are now."""
        uploads = [version for version in self.data.versions() if version.body is not None]
        verdict = Law(self.models, self.meant).check(uploads, self.removed, self.results)
        # Of an upload that was removed before its batch began, the document stays until it expires.
        removed = {batch_id(version.key, version.version_id) for version in self.removed}
        known = {RECONCILIATION_KEY, *map(batch_upload_key, self.batches | removed)}
        kept = {version.key for version in self.artifacts.current()} - known
        verdict.violations += [Violation("stray", key, "in the artifacts bucket") for key in sorted(kept)]
        return verdict

    def release(self) -> None:
        """Let another version go live."""
        self.happened["releases"] += 1
        self.live = self.random.choice([m for m in self.models.values() if m is not self.live])

    def run(self) -> None:
        """Go from event to event until nothing is left to happen."""
        while True:
            due = self._agenda[0][0] if self._agenda else None
            visible = self.queue.next_visible()
            moments = [moment for moment in (due, visible) if moment is not None]
            if not moments:
                return
            self.clock.advance_to(min(moments))
            if due is not None and due <= self.clock.now:
                heapq.heappop(self._agenda)[2]()
            elif ready := self.queue.visible():
                self.deliver(self.random.choice(ready))

    def deliver(self, message: Message) -> None:
        """Let Lambda invoke `score_upload` with a message, and delete it if the answer says so."""
        self.queue.receive(message)
        self.happened["deliveries"] += 1
        record = {
            "messageId": message.name,
            "receiptHandle": message.name,
            "body": message.body,
            "attributes": {"ApproximateReceiveCount": str(message.receives)},
        }
        answer = self._invoke(
            score_upload, f"score_upload/{message.name}/{message.receives}", {"Records": [record]}
        )
        if answer is None or answer["batchItemFailures"]:
            return
        if self.plan.chances.share("delete", message.name, message.receives) < self.plan.probability / 10:
            self.happened["deletions of messages lost"] += 1
            return
        self.queue.delete(message)

    def reconcile(self) -> dict[str, Any] | None:
        """Let the schedule invoke `reconcile_uploads`: what it says, unless it fails."""
        self.happened["reconciliations"] += 1
        answer = self._invoke(reconcile_uploads, f"reconcile_uploads/{self.happened['reconciliations']}", {})
        self.happened["put back"] += answer["put_back"] if answer else 0
        return answer

    def redrive(self) -> None:
        """Let a person send the dead letters back."""
        self.happened["redriven"] += self.queue.redrive(self.dead_letters)

    def score_batch(self, batch: str) -> None:
        """Stand in for the batch path: commit what `score_upload` would if nothing were too large for it."""
        (stored,) = self.artifacts.current(batch_upload_key(batch))
        upload = json.loads(stored.body or b"")
        event = object_created(**upload, reason="batch")
        attributes = {"ApproximateReceiveCount": "1"}
        record = {
            "messageId": batch,
            "receiptHandle": batch,
            "body": json.dumps(event),
            "attributes": attributes,
        }
        with self.plan.nothing_fails(), pytest.MonkeyPatch.context() as patch:
            patch.setenv("MAX_UPLOAD_BYTES", str(1024**3))
            answer = self._invoke(score_upload, f"batch/{batch}", {"Records": [record]})
        if answer is None or answer["batchItemFailures"]:
            self.at(self.clock.now + HOUR, lambda: self.score_batch(batch))
        else:
            self.running.discard(batch)

    def _start_batch(self, request: Request) -> Response:
        asked = json.loads(request.body)
        batch = asked["name"]
        if batch in self.batches:
            raise Refusal(400, "ExecutionAlreadyExists", batch)
        self.batches.add(batch)
        self.running.add(batch)
        self.happened["batches"] += 1
        self.at(self.clock.now + HOUR, lambda: self.score_batch(json.loads(asked["input"])["batch"]))
        return Response(b'{"executionArn": "arn", "startDate": 0}')

    def _invoke(
        self, handler: Callable[[dict[str, Any], Any], dict[str, Any]], name: str, event: dict[str, Any]
    ) -> dict[str, Any] | None:
        with self.wire.invocation(name, FUNCTION_SECONDS) as invocation:
            try:
                return handler(event, Context(self.clock, invocation))
            except Killed:
                self.happened["processes killed"] += 1
            except Exception as error:
                self.happened[f"errors of {name.partition('/')[0]}: {type(error).__name__}"] += 1
        return None

    def _deliver_others(self) -> None:
        waiting = [*self.queue.visible(), *self.queue.messages.values()]
        if waiting:
            self.deliver(self.random.choice(waiting))

    def _serve(self, request: Request) -> Response:
        if request.service == "s3":
            buckets = {"data": self.data, "results": self.results, "artifacts": self.artifacts}
            return buckets[request.bucket].handle(request)
        if request.service == "sqs":
            return self.queue.handle(request)
        if request.operation == "ListExecutions":
            running = [{"name": batch} for batch in sorted(self.running)]
            return Response(json.dumps({"executions": running}).encode())
        if request.service == "stepfunctions":
            return self._start_batch(request)
        return self.live.handle(request)

    def _outage(self, request: Request) -> Refusal | None:
        for start, end, refusal_of in self.outages:
            if start <= self.clock.now < end and (refusal := refusal_of(request)):
                return refusal
        return None


class _Nowhere(TextIOBase):
    def write(self, text: str, /) -> int:
        return len(text)


def _here(simulated: Callable[[float], None], real: Callable[[float], None]) -> Callable[[float], None]:
    """Simulated in this thread: others are none of the functions'."""
    here = threading.current_thread()

    def either(seconds: float) -> None:
        (simulated if threading.current_thread() is here else real)(seconds)

    return either


@contextmanager
def simulated(world: World, contract: Path) -> Iterator[World]:
    """While inside, the functions run in the world: with its variables, clock and wire, and in silence.

    `contract` is the folder of the deployed code's contract.json.
    """
    root = logging.getLogger()
    before = random.getstate()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(_Nowhere()):
        for name, value in {**VARIABLES, "LAMBDA_TASK_ROOT": str(contract)}.items():
            patch.setenv(name, value)
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"):
            patch.delenv(name, raising=False)
        patch.setattr(time, "sleep", _here(world.wire.sleep, time.sleep))
        patch.setattr(time, "time", lambda: world.clock.now)
        # All that botocore and the functions draw, and the order in which their threads run.
        random.seed(world.random.random())
        pool = partial(Pool, random=Random(world.random.random()))
        patch.setattr(ordered_map, "ThreadPoolExecutor", pool)
        patch.setattr(ordered_map, "wait", wait)
        patch.setattr(looks, "ThreadPoolExecutor", pool)
        logging.disable()
        try:
            with world.wire.connected():
                yield world
        finally:
            random.setstate(before)
            logging.disable(logging.NOTSET)
            root.handlers[:] = handlers
            root.setLevel(level)
