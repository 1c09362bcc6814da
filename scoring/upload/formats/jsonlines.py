"""JSON Lines: an object a line in, the same object with the result's members out.

A file has the columns that any of its objects has. Each request begins with an object of all of them,
as a CSV begins with its header.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import IO

from contract import serving
from scoring.upload.formats.result import ResultWriter
from scoring.upload.formats.table import Row, Table, check_name
from scoring.upload.kit.responses import NumberText
from tabular.formats import jsonlines
from tabular.formats.encoding import Encoding
from tabular.formats.streams import Peekable


def read_table(stream: Peekable, *, features: Collection[str], scratch: IO[bytes]) -> Table:  # noqa: ARG001 - named by each object
    """Check every line and keep it in `scratch`, from which the rows are read.

    Raises:
        Unscorable: the bytes are not JSON objects, one a line, or have a column that the result adds.
    """
    found = jsonlines.read(stream, scratch)
    for name, line in found.names.items():
        check_name(name, line)
    return Table(
        content_type=serving.JSON_LINES,
        header=jsonlines.header(found.names),
        header_is_accepted=1,
        header_line=None,
        rows=(Row(line=line, own=own) for line, own in found.objects),
        result=partial(JsonLinesResult, encoding=found.encoding),
    )


class JsonLinesResult(ResultWriter):
    """Each object as it was written, with the result's members at its end."""

    def __init__(self, file: IO[bytes], *, encoding: Encoding) -> None:
        super().__init__()
        self._file = encoding.writer(file)

    def _write_scored(self, own: bytes, cells: Sequence[str], model_version: str) -> None:
        self._line(
            own, {**dict(zip(self._columns, cells, strict=True)), serving.REJECTED: None}, model_version
        )

    def _write_rejected(self, own: bytes, rejected: str, model_version: str) -> None:
        nothing = dict.fromkeys(self._columns or (serving.PREDICTION,))
        self._line(own, {**nothing, serving.REJECTED: rejected}, model_version)

    def _line(self, own: bytes, result: dict[str, str | None], model_version: str) -> None:
        members = {**result, serving.MODEL_VERSION: model_version}
        added = ", ".join(f"{_json(name)}: {_json(value)}" for name, value in members.items())
        begun = own[:-1].rstrip()
        separator = b"" if begun == b"{" else b", "
        self._file.write(b"%b%b%b}\n" % (begun, separator, added.encode()))


def _json(value: str | None) -> str:
    return value if isinstance(value, NumberText) else json.dumps(value, ensure_ascii=False)
