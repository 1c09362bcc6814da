"""Bytes on disk, of which others can be made without copying them."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

PIECE_BYTES = 1024 * 1024


class _File:
    """A file that goes when nothing refers to it any more."""

    def __init__(self, folder: Path, data: bytes) -> None:
        descriptor, path = tempfile.mkstemp(dir=folder)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        self.path = Path(path)
        weakref.finalize(self, os.unlink, path).atexit = False


class _Span(NamedTuple):
    file: _File
    start: int
    size: int

    def within(self, start: int, stop: int) -> _Span:
        """The bytes from `start` to `stop` of this, as far as it has them."""
        first = min(max(start, 0), self.size)
        return _Span(self.file, self.start + first, max(0, min(stop, self.size) - first))


class Body:
    """Bytes in files. A slice of it is another body, and `bytes` has them in memory."""

    def __init__(self, spans: Iterable[_Span]) -> None:
        self._spans = [span for span in spans if span.size]
        self._size = sum(span.size for span in self._spans)

    @classmethod
    def written(cls, folder: Path, data: bytes) -> Body:
        """Write bytes to a new file in a folder."""
        return cls([_Span(_File(folder, data), 0, len(data))])

    @classmethod
    def joined(cls, bodies: Iterable[Body]) -> Body:
        """The same bytes, one body after the other."""
        return cls(span for body in bodies for span in body._spans)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> Body:
        start, stop, _ = part.indices(self._size)
        spans, before = list[_Span](), 0
        for span in self._spans:
            spans.append(span.within(start - before, stop - before))
            before += span.size
        return Body(spans)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """The bytes in order, some at a time."""
        for span in self._spans:
            for start in range(0, span.size, PIECE_BYTES):
                with span.file.path.open("rb") as file:
                    file.seek(span.start + start)
                    yield file.read(min(PIECE_BYTES, span.size - start))

    def md5(self) -> str:
        """Their digest, in hexadecimal."""
        digest = hashlib.md5(usedforsecurity=False)
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()
