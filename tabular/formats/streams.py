"""Bytes that are read once, of which the beginning may be looked at first."""

from __future__ import annotations

from typing import Protocol


class Readable(Protocol):
    """Bytes to be read once."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; none at the end only."""


class Peekable:
    """A stream whose beginning can be looked at."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._seen = b""

    def peek(self, size: int) -> bytes:
        """The next `size` bytes, or all there are; the next `read` gives them again."""
        while len(self._seen) < size and (data := self._stream.read(size - len(self._seen))):
            self._seen += data
        return self._seen[:size]

    def read(self, size: int, /) -> bytes:
        if not self._seen:
            return self._stream.read(size)
        data, self._seen = self._seen[:size], self._seen[size:]
        return data
