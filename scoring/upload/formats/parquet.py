"""Parquet: a file that fits in one request goes to the model server, and its answer is the result.

A function has no reader of Parquet, and needs none: the server answers the whole table, and how
many rows it has. What does not fit is `TOO_LARGE` here and nowhere else.
"""

from __future__ import annotations

from adapters.ports import Response
from contract.reasons import FileReason, Unscorable
from scoring.upload.kit.errors import BadResponse
from scoring.upload.kit.responses import Counts
from tabular.formats.streams import Peekable

_MAGIC = b"PAR1"


def read_file(stream: Peekable, max_bytes: int) -> bytes:
    """All bytes of a file.

    Raises:
        Unscorable: there are none, or more than `max_bytes`, which is what one request takes.
    """
    body = bytearray()
    while len(body) <= max_bytes and (data := stream.read(max_bytes + 1 - len(body))):
        body += data
    if not body:
        raise Unscorable(code=FileReason.EMPTY_FILE, message="The file has no bytes.")
    if len(body) > max_bytes:
        raise Unscorable(
            code=FileReason.TOO_LARGE,
            message=f"The Parquet file has more than the {max_bytes:,} bytes of one request.",
        )
    return bytes(body)


def check_response(answer: Response) -> Counts:
    """What an answered table counts.

    Raises:
        BadResponse: it is not a table as `contract.serving` says.
    """
    if not answer.model_version:
        raise BadResponse("the model server's answer names no model version")
    if not (answer.body.startswith(_MAGIC) and answer.body.endswith(_MAGIC)):
        raise BadResponse("the model server's answer to Parquet is not Parquet")
    if not answer.rows or answer.rejected is None or answer.rejected > answer.rows:
        raise BadResponse(f"the model server counts {answer.rejected} rejected rows of {answer.rows}")
    return Counts(answer.rows - answer.rejected, answer.rejected, answer.unseen)
