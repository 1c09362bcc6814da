"""Encodings of text, known by the byte order mark: UTF-8 with one or none, UTF-16 with one."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Protocol

from contract.reasons import FileReason, Unscorable
from tabular.formats.streams import Peekable

READ_BYTES = 256 * 1024


class Writable(Protocol):
    """Anything that takes bytes."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """`codec` is Python's name, `mark` the byte order mark that begins the file."""

    name: str
    codec: str
    mark: bytes = b""

    def writer(self, file: IO[bytes]) -> Writable:
        """Takes UTF-8 and writes it in this encoding, beginning with the mark."""
        file.write(self.mark)
        return file if self.codec == "utf-8" else _Transcoder(file, self.codec)


@dataclass(frozen=True)
class _Transcoder:
    file: IO[bytes]
    codec: str

    def write(self, data: bytes, /) -> None:
        self.file.write(data.decode().encode(self.codec))


UTF_8 = Encoding(name="UTF-8", codec="utf-8")
_MARKED = (
    Encoding(name="UTF-8", codec="utf-8", mark=codecs.BOM_UTF8),
    Encoding(name="UTF-16", codec="utf-16-le", mark=codecs.BOM_UTF16_LE),
    Encoding(name="UTF-16", codec="utf-16-be", mark=codecs.BOM_UTF16_BE),
)


def encoding_of(stream: Peekable) -> Encoding:
    """Return the encoding that the first bytes announce.

    Raises:
        Unscorable: they are those of UTF-32, or of UTF-16 without its mark.
    """
    head = stream.peek(4)
    encoding = next((marked for marked in _MARKED if head.startswith(marked.mark)), UTF_8)
    units = head.removeprefix(encoding.mark)[:2]
    byte = units.find(b"\0" * (2 if encoding.codec.startswith("utf-16") else 1))
    if byte >= 0:
        raise Unscorable(
            code=FileReason.UNDECODABLE,
            message="The text begins as UTF-32, or as UTF-16 without a byte order mark.",
            byte=len(encoding.mark) + byte,
        )
    return encoding


def texts(stream: Peekable, encoding: Encoding) -> Iterator[str]:
    """The text of a stream in this encoding, in pieces, without the mark.

    Raises:
        Unscorable: a byte is not of the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)()
    stream.read(len(encoding.mark))
    read = len(encoding.mark)
    data = b"first"
    while data:
        data = stream.read(READ_BYTES)
        read += len(data)
        try:
            yield decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            byte = read - len(error.object) + error.start
            raise Unscorable(
                code=FileReason.UNDECODABLE,
                message=f"The byte {error.object[error.start]:#04x} at offset {byte} is not {encoding.name}.",
                byte=byte,
            ) from error
