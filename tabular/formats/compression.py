"""gzip, in bounded memory and with a limit on what comes out."""

from __future__ import annotations

import gzip
import zlib
from contextlib import AbstractContextManager, nullcontext
from typing import IO

from contract.reasons import FileReason, Unscorable
from tabular.formats.streams import Readable

MAGIC = b"\x1f\x8b"
CONTENT_TYPE = "application/gzip"
MAX_RATIO = 100
"""Tables compress 3- to 20-fold. Whatever does far better is built to exhaust its reader."""
UNSUSPICIOUS_BYTES = 16 * 1024 * 1024
"""Up to this much may come out at any ratio: a short table may well repeat one row."""


class Decompressed:
    """The content of a gzip stream of one or more members."""

    def __init__(self, compressed: Readable, max_bytes: int) -> None:
        self._compressed = _Counted(compressed)
        # GzipFile asks its file for nothing but `read`.
        self._content = gzip.GzipFile(fileobj=self._compressed)  # type: ignore[call-overload]
        self._max_bytes = max_bytes
        self._bytes = 0

    def read(self, size: int, /) -> bytes:
        """
        Raises:
            Unscorable: the stream is cut off or corrupt, or holds more than it may.
        """
        try:
            data: bytes = self._content.read(size)
        except EOFError as error:
            end = self._compressed.bytes
            message = f"The gzip data is cut off at the end of the file, byte {end:,}."
            raise Unscorable(code=FileReason.NOT_GZIP, message=message, byte=end) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            message = f"The gzip data is corrupt after {self._bytes:,} bytes of its content: {error}."
            raise Unscorable(code=FileReason.NOT_GZIP, message=message) from error
        self._bytes += len(data)
        self._check()
        return data

    def _check(self) -> None:
        if self._bytes > self._max_bytes:
            raise Unscorable(
                code=FileReason.TOO_LARGE,
                message=f"The file holds more than {self._max_bytes:,} bytes when decompressed, "
                "the most that are scored as one upload.",
            )
        if self._bytes > max(UNSUSPICIOUS_BYTES, MAX_RATIO * self._compressed.bytes):
            raise Unscorable(
                code=FileReason.DECOMPRESSION_BOMB,
                message=f"The first {self._compressed.bytes:,} bytes decompress to more than "
                f"{self._bytes:,}, over {MAX_RATIO} times as many.",
            )


class _Counted:
    """A stream that knows how many bytes were read."""

    def __init__(self, stream: Readable) -> None:
        self.bytes = 0
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self.bytes += len(data)
        return data


def writer(file: IO[bytes], *, compressed: bool) -> AbstractContextManager[IO[bytes]]:
    """A file that compresses into another while open, or that file itself. Equal content, equal bytes."""
    if not compressed:
        return nullcontext(file)
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)  # type: ignore[return-value]
