"""Faults leave no outcome: a wrong result is worse than a late one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from adapters.errors import AccessDenied, AwsError, ModelRefused, NotFound, Transient
from adapters.ports import Response
from adapters.retry import RetryPolicy
from tests.fixtures.fakes import SignModel
from tests.fixtures.uploads import World, event, message


def throttled() -> AwsError:
    return Transient("InvokeEndpoint", "ThrottlingException", "slow down")


def test_nobody_pauses_for_longer_than_there_is_time() -> None:
    pauses: list[float] = []
    retry = RetryPolicy(
        remaining_seconds=lambda: 1e-9, sleep=pauses.append, first_pause=1000.0, longest_pause=1000.0
    )

    def throttled() -> None:
        raise Transient("InvokeEndpoint", "ThrottlingException", "slow down")

    with pytest.raises(Transient):
        retry(throttled)
    assert pauses == []


def test_transient_failures_are_ridden_out() -> None:
    world = World(model=SignModel(failures=[throttled() for _ in range(5)]))
    assert world.score(b"x\n1\n") == []
    assert len(world.pauses) == 5
    assert all(0 <= pause <= 0.4 * 2**n for n, pause in enumerate(world.pauses))


@pytest.mark.parametrize(
    "failures",
    [
        [throttled() for _ in range(6)],
        [NotFound("InvokeEndpoint", "ValidationError", "Endpoint not found")],
        [AccessDenied("InvokeEndpoint", "AccessDeniedException", "not authorized")],
        [ModelRefused("InvokeEndpoint", 413, "too large")],
        [ModelRefused("InvokeEndpoint", 415, "what is this")],
        [ModelRefused("InvokeEndpoint", 400, "not JSON")],
        [ModelRefused("InvokeEndpoint", 400, '{"code": "unheard_of", "message": "?"}')],
    ],
)
def test_a_fault_leaves_no_outcome_and_the_message_comes_back(failures: list[AwsError]) -> None:
    world = World(model=SignModel(failures=failures))
    assert world.score(b"x\n1\n") == ["m0"]
    assert (world.outcomes(), world.metrics.emitted) == ({}, [])
    assert world.deliver(message(event(), receives=2)) == []
    assert world.table()[0]["prediction"] == "positive"


@dataclass
class Mumbling(SignModel):
    """Answers with whatever it was given."""

    body: bytes = b""

    def predict(self, body: bytes, content_type: str) -> Response:
        return Response(body=self.body, model_version=self.version)


@pytest.mark.parametrize(
    ("body", "version"),
    [
        (b"", "m/1"),
        (b'{"prediction": "a"}\n', "m/1"),
        (b'{"prediction": "a"}\n' * 3, "m/1"),
        (b'{"prediction": "a"}\n' * 2, ""),
        (b'{"prediction": "a"}\noops\n', "m/1"),
        (b'{"prediction": "a"}\n\xff\n', "m/1"),
        (b'{"prediction": null}\n' * 2, "m/1"),
        (b'{"prediction": NaN}\n' * 2, "m/1"),
        (b'{"prediction": "a", "extra": "b"}\n' * 2, "m/1"),
        (b'{"prediction": "a", "rejected": "b"}\n' * 2, "m/1"),
        (b'{"prediction": "a", "unseen": "b"}\n' * 2, "m/1"),
        (b'{"prediction": "a", "unseen": 1}\n' * 2, "m/1"),
        (b'{"prediction": "a", "unseen": [1]}\n' * 2, "m/1"),
        (b'{"rejected": []}\n' * 2, "m/1"),
        (b'{"rejected": [{"code": "missing"}]}\n' * 2, "m/1"),
        (b'{"prediction": 1}\n{"prediction": 1, "probability": 1}\n', "m/1"),
        (b"[1]\n[2]\n", "m/1"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_a_fault_never_a_result(body: bytes, version: str) -> None:
    world = World(model=Mumbling(body=body, version=version))
    assert world.score(b"x\n1\n2\n") == ["m0"]
    assert world.outcomes() == {}
