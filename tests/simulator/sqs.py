"""A standard queue as SQS has it: at least once, in no order, visibility time-outs, dead letters, retention."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from tests.simulator.clock import DAY, Clock
from tests.simulator.wire import Refusal, Request, Response

RETENTION = 14 * DAY


@dataclass
class Message:
    """`sent` and `visible` in epoch seconds."""

    name: str
    body: str
    sent: float
    visible: float
    receives: int = 0


@dataclass
class Queue:
    """Messages by name, which is their receipt handle too."""

    clock: Clock
    visibility_seconds: float = 0.0
    max_receives: int = 0
    dead_letters: Queue | None = None
    messages: dict[str, Message] = field(default_factory=dict)
    sent: int = 0
    expired: int = 0

    def send(self, body: str) -> None:
        self.sent += 1
        message = Message(f"m{self.sent}", body, self.clock.now, self.clock.now)
        self.messages[message.name] = message

    def visible(self) -> list[Message]:
        """What could be received now. What is too old is dropped; given up on, buried."""
        for message in list(self.messages.values()):
            if self.clock.now - message.sent > RETENTION:
                del self.messages[message.name]
                self.expired += 1
        ready = [m for m in self.messages.values() if m.visible <= self.clock.now]
        for message in ready:
            if self.dead_letters is not None and message.receives >= self.max_receives:
                self.dead_letters.messages[message.name] = self.messages.pop(message.name)
        return [m for m in ready if m.name in self.messages]

    def next_visible(self) -> float | None:
        """When the next message can be received."""
        return min((m.visible for m in self.messages.values()), default=None)

    def receive(self, message: Message) -> None:
        message.receives += 1
        message.visible = self.clock.now + self.visibility_seconds

    def delete(self, message: Message) -> None:
        self.messages.pop(message.name, None)

    def redrive(self, source: Queue) -> int:
        """Move all messages of a dead-letter queue here, where they are new; how many."""
        moved = len(source.messages)
        for message in source.messages.values():
            self.send(message.body)
        source.messages.clear()
        return moved

    def handle(self, request: Request) -> Response:
        asked = json.loads(request.body)
        if request.operation == "ChangeMessageVisibility":
            message = self.messages.get(asked["ReceiptHandle"])
            if message is None:
                raise Refusal(400, "ReceiptHandleIsInvalid", "The receipt handle is not valid")
            message.visible = self.clock.now + asked["VisibilityTimeout"]
            return Response(b"{}")
        assert request.operation == "SendMessageBatch", request.operation
        for entry in asked["Entries"]:
            self.send(entry["MessageBody"])
        sent = [{"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"} for entry in asked["Entries"]]
        return Response(json.dumps({"Successful": sent, "Failed": []}).encode())
