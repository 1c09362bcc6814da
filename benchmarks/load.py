"""A load generator on raw sockets: the same request again and again, each answer checked for its size."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

HOST = "127.0.0.1"
RECEIVED_BYTES = 1 << 20
TIMEOUT_SECONDS = 30.0


class Load(NamedTuple):
    """What one drive saw: seconds of each answer, ascending, and how long all took."""

    latencies: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: float) -> float:
        """Seconds within which so many percent of the answers came."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


class BadResponseError(RuntimeError):
    """A server answered anything but 200 with a body of known length."""


def http_request(path: str, content_type: str, body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {content_type}\r\n"
        f"Accept: */*\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def ask(port: int, request: bytes) -> bytes:
    """One whole answer, head and body.

    Raises:
        BadAnswerError: it is not 200, or of unknown length.
    """
    with _connected(port) as connection:
        connection.sendall(request)
        answer = b""
        while (head_ends := answer.find(b"\r\n\r\n") + 4) < 4:
            answer += _received(connection)
        head = answer[:head_ends].lower()
        if not head.startswith(b"http/1.1 200") or b"content-length:" not in head:
            raise BadResponseError(answer[:2000].decode(errors="replace"))
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(answer) < head_ends + length:
            answer += _received(connection)
        return answer


def drive(port: int, request: bytes, connections: int, seconds: float, least: int = 20) -> Load:
    """Ask on some connections at once, each after its answer, for a time and at `least` so often."""
    length = len(ask(port, request))
    one_or_many = _drive_one if connections == 1 else _drive_many
    begin = perf_counter()
    until = begin + seconds

    def finished(answers: int) -> bool:
        return answers >= least and perf_counter() > until

    latencies = one_or_many(port, request, length, connections, finished)
    return Load(sorted(latencies), perf_counter() - begin)


def _drive_one(
    port: int, request: bytes, length: int, _connections: int, finished: Callable[[int], bool]
) -> list[float]:
    connection = _connected(port)
    latencies: list[float] = []
    while not finished(len(latencies)):
        begin = perf_counter()
        try:
            connection.sendall(request)
            rest = length - len(_received(connection))
            while rest > 0:
                rest -= len(_received(connection))
        except ConnectionError:
            # nginx ends a connection after a thousand requests; so does every client's pool.
            connection = _reconnected(connection, port)
            continue
        latencies.append(perf_counter() - begin)
    connection.close()
    return latencies


def _drive_many(
    port: int, request: bytes, length: int, connections: int, finished: Callable[[int], bool]
) -> list[float]:
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            _send(_connected(port), request, selector)
        while not finished(len(latencies)):
            for key, _ in selector.select():
                connection, asked = key.fileobj, key.data
                assert isinstance(connection, socket.socket)
                try:
                    asked[1] += len(_received(connection))
                    if asked[1] >= length:
                        latencies.append(perf_counter() - asked[0])
                        asked[:] = perf_counter(), 0
                        connection.sendall(request)
                except ConnectionError:
                    selector.unregister(connection)
                    _send(_reconnected(connection, port), request, selector)
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    return latencies


def _send(connection: socket.socket, request: bytes, selector: selectors.BaseSelector) -> None:
    """Send on a new connection, remembering when, and how much of the answer is there."""
    selector.register(connection, selectors.EVENT_READ, [perf_counter(), 0])
    connection.sendall(request)


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), TIMEOUT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _reconnected(connection: socket.socket, port: int) -> socket.socket:
    connection.close()
    return _connected(port)


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(RECEIVED_BYTES)
    if not data:
        raise ConnectionResetError("the server closed the connection")
    return data
