"""What is too large for one call is left to the batch path, by its size alone, once."""

from __future__ import annotations

import errno
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import boto3
import pytest
from moto import mock_aws

from adapters.ports import Response, StoredObject
from adapters.state_machines import StandardStateMachine
from contract import layout
from tests.fixtures.fakes import MemoryBucket, SignModel
from tests.fixtures.uploads import KEY, World, event, message

BATCH = layout.batch_id(KEY, "v0")
ROLE = "arn:aws:iam::123456789012:role/batch"


class UntouchableStream(io.BytesIO):
    """A body that nobody may read."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("the upload was read")


@dataclass
class ForgedBucket(MemoryBucket):
    """Says of every object that it is this large."""

    size: int = 6 * 1024**3

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        return replace(super().open(key, version_id), size=self.size, stream=UntouchableStream())


def assert_left_to_batch(world: World) -> None:
    assert world.batches.executions == {BATCH: {"batch": BATCH}}
    document = json.loads(world.artifacts.read(layout.batch_upload_key(BATCH)))
    assert document == {"bucket": "data", "key": KEY, "version_id": "v0"}
    assert world.outcomes() == {}
    assert world.model.requests == []


def test_six_gigabytes_are_routed_by_their_size_alone() -> None:
    world = World(data=ForgedBucket("data"))
    assert world.score(b"x\n1\n") == []
    assert_left_to_batch(world)


def test_a_delivery_more_starts_no_execution_more() -> None:
    world = World(data=ForgedBucket("data"))
    world.score(b"x\n1\n")
    assert world.deliver(message(event()), message(event(), name="m1")) == []
    assert_left_to_batch(world)


def test_what_is_too_large_when_decompressed_is_left_to_batch_too() -> None:
    world = World(max_upload_bytes=1000)
    body = gzip.compress(b"x\n" + b"".join(b"%d\n" % n for n in range(400)))
    assert len(body) < 1000
    assert world.score(body) == []
    assert_left_to_batch(world)


def test_with_no_room_at_all_every_table_is_left_to_batch() -> None:
    world = World(max_upload_bytes=0)
    world.score(b"x\n1\n")
    assert_left_to_batch(world)


@pytest.mark.parametrize(("key", "body"), [(KEY, b"x,z\n1,2\n1," + b"z" * 5000), ("score/a.parquet", b"PAR1\x15" + b"\0" * 5000)])  # fmt: skip
def test_what_only_a_serverless_endpoint_does_not_take_is_left_to_batch(key: str, body: bytes) -> None:
    world = World(model=SignModel(max_bytes=4000))
    assert world.score(body, key) == []
    assert list(world.batches.executions) == [layout.batch_id(key, "v0")]
    assert world.outcomes() == {}


class FullDisk(SignModel):
    """What it answers does not fit on the disk."""

    def predict(self, body: bytes, content_type: str) -> Response:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_result_that_the_disk_cannot_hold_is_left_to_batch() -> None:
    world = World(model=FullDisk())
    assert world.score(b"x\n1\n") == []
    assert_left_to_batch(world)


def test_an_upload_that_has_its_outcome_starts_nothing() -> None:
    world = World(data=ForgedBucket("data"))
    world.results.put(layout.scored_key(KEY, "v0"), b"")
    world.score(b"x\n1\n")
    assert world.batches.executions == {}


@pytest.fixture
def machine() -> Iterator[str]:
    with mock_aws():
        states = boto3.client("stepfunctions", region_name="eu-central-1")
        definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
        yield states.create_state_machine(name="batch", definition=definition, roleArn=ROLE)[
            "stateMachineArn"
        ]


def test_an_execution_is_started_once(machine: str) -> None:
    client = boto3.client("stepfunctions", region_name="eu-central-1")
    adapter = StandardStateMachine(machine, client)
    for _ in range(3):
        adapter.start("one", {"batch": "one"})
    adapter.start("two", {"batch": "two"})
    found = client.list_executions(stateMachineArn=machine)["executions"]
    assert sorted(execution["name"] for execution in found) == ["one", "two"]
