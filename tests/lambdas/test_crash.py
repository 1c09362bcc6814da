"""The process may die at any moment: before, between and right after its calls to AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.clients import client
from lambdas.score_upload.handler import handler
from tests.fixtures.account import Account
from tests.fixtures.uploads import read_table

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Executioner:
    """Kills the process right before or right after its `at`-th call to AWS."""

    moment: str
    at: int
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, parsed: Mapping[str, Any] | None = None, **_: Any) -> None:
        with self.lock:
            self.calls += 1
            if self.calls != self.at:
                return
        if parsed and "Body" in parsed:
            parsed["Body"].close()  # a process's sockets die with it
        raise Killed


@contextmanager
def watched_by(executioner: Executioner) -> Iterator[None]:
    calls = [
        (client(service).meta.events, f"{executioner.moment}.*")
        for service in ("s3", "sqs", "sagemaker-runtime")
    ]
    for events, name in calls:
        events.register(name, executioner)
    try:
        yield
    finally:
        for events, name in calls:
            events.unregister(name, executioner)


@pytest.mark.parametrize("moment", ["before-call", "after-call"])
@pytest.mark.parametrize(
    ("body", "prefix"),
    [(b"x\n" + b"1\n" * 2500, "scored/"), (b"y\n1\n", "unscorable/"), (b"x\n\xff", "unscorable/")],
)
def test_killed_at_any_call_to_aws_an_upload_still_has_one_outcome(
    account: Account, moment: str, body: bytes, prefix: str
) -> None:
    for at in range(1, 100):
        key = account.upload(body)
        executioner = Executioner(moment, at)
        with suppress(Killed):
            account.poll(watched_by(executioner)(handler))
        account.let_visibility_time_out()
        account.poll()
        ((name, outcome),) = account.outcomes(key).items()
        assert name.startswith(prefix)
        assert prefix == "unscorable/" or len(read_table(outcome)) == 2500
        if executioner.calls < at:
            break
    assert 6 < at < 99
