"""What a message may say, and when it is delivered again."""

from __future__ import annotations

import pytest

from adapters.errors import AwsError
from tests.fixtures.uploads import KEY, World, event, message


def test_a_bad_message_fails_alone() -> None:
    world = World()
    world.data.put(KEY, b"x\n1\n")
    batch = [message("{", name="bad"), message(event(), name="good"), message({"hello": 1}, name="odd")]
    assert world.deliver(*batch) == ["bad", "odd"]
    assert len(world.table()) == 1
    assert set(world.queue.delays) == {"receipt-bad", "receipt-odd"}


@pytest.mark.parametrize(
    "body",
    [
        "not JSON",
        "[]",
        "null",
        {},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": {}},
        {"source": "aws.s3", "detail-type": "Object Created", "detail": None},
        event(version_id=None),
        event(version_id="null"),
        event(source="somebody.else"),
    ],
)
def test_a_message_that_nobody_should_send_is_handed_back_for_the_dead_letter_queue(body: object) -> None:
    assert World().deliver(message(body)) == ["m0"]


@pytest.mark.parametrize(
    "body",
    [
        {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "data"},
        event(**{"detail-type": "Object Deleted"}),
        event("score/folder/"),
        event("training/table.csv"),
    ],
)
def test_a_message_about_anything_but_an_upload_is_acknowledged(body: object) -> None:
    world = World()
    assert world.deliver(message(body)) == []
    assert world.outcomes() == {}


def test_an_upload_that_was_deleted_meanwhile_is_acknowledged() -> None:
    world = World()
    assert world.deliver(message(event())) == []
    assert (world.outcomes(), world.metrics.emitted) == ({}, [])


@pytest.mark.parametrize(("receives", "seconds"), [(1, 20), (2, 40), (3, 80), (6, 640), (7, 900), (50, 900)])
def test_a_failed_message_waits_twice_as_long_each_time(receives: int, seconds: int) -> None:
    world = World()
    world.deliver(message("{", receives=receives))
    assert world.queue.delays == {"receipt-m0": seconds}


def test_a_message_that_cannot_be_delayed_is_still_handed_back() -> None:
    class Gone:
        def delay(self, receipt_handle: str, seconds: int) -> None:
            raise AwsError("ChangeMessageVisibility", "InvalidParameterValue", "the receipt has expired")

    world = World(queue=Gone())  # type: ignore[arg-type]  # it is all a queue needs
    assert world.deliver(message("{")) == ["m0"]
