"""Reasons for which an upload or a row was not scored: codes, meanings and remedies.

Codes are part of the interface: people filter on them. `docs/reasons.md` lists them and
a test holds it against this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from contract.events import Upload


class FileReason(StrEnum):
    """A reason for which a whole upload could not be read as this model's table."""

    EMPTY_FILE = "empty_file"
    HEADER_ONLY = "header_only"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNDECODABLE = "undecodable"
    NOT_GZIP = "not_gzip"
    DECOMPRESSION_BOMB = "decompression_bomb"
    NOT_CSV = "not_csv"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    TOO_DEEP = "too_deep"
    NOT_PARQUET = "not_parquet"
    UNSUPPORTED_TYPE = "unsupported_type"
    MISSING_COLUMN = "missing_column"
    DUPLICATE_COLUMN = "duplicate_column"
    RESERVED_COLUMN = "reserved_column"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_LARGE = "too_large"
    ROW_TOO_LARGE = "row_too_large"


REMEDIES: dict[FileReason, str] = {
    FileReason.EMPTY_FILE: "Upload a table with at least one row.",
    FileReason.HEADER_ONLY: "Upload a table with at least one row under its column names.",
    FileReason.UNSUPPORTED_FORMAT: "Upload CSV, JSON Lines or Parquet, plain or compressed with gzip once.",
    FileReason.UNDECODABLE: "Save the file in UTF-8, or in UTF-16 with a byte order mark.",
    FileReason.NOT_GZIP: "Compress the file again with gzip and upload it whole.",
    FileReason.DECOMPRESSION_BOMB: "Upload the file uncompressed.",
    FileReason.NOT_CSV: "Close the quotes and escape quotes inside values by doubling them.",
    FileReason.NOT_JSON: "Write one JSON object of column names and values on each line.",
    FileReason.NOT_AN_OBJECT: "Write one JSON object of column names and values on each line.",
    FileReason.TOO_DEEP: "Flatten the value, or write it as a string.",
    FileReason.NOT_PARQUET: "Write the file again with a current Parquet library and upload it whole.",
    FileReason.UNSUPPORTED_TYPE: "Store the column as numbers, strings, booleans, dates or timestamps.",
    FileReason.MISSING_COLUMN: "Add the column, spelled as in the model's contract, in any place.",
    FileReason.DUPLICATE_COLUMN: "Rename or remove one of the columns with the same name.",
    FileReason.RESERVED_COLUMN: "Rename the column: the result adds one of that name.",
    FileReason.TOO_MANY_COLUMNS: "Use the same keys in every object, and put other ones into one value.",
    FileReason.TOO_LARGE: "Split the file and upload the parts.",
    FileReason.ROW_TOO_LARGE: "Remove or shorten the oversized value: a row must fit in one request.",
}


class RowReason(StrEnum):
    """A reason for which one row came back without a prediction."""

    MISSING = "missing"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NOT_IN_SET = "not_in_set"
    NOT_A_DATETIME = "not_a_datetime"
    NESTED_VALUE = "nested_value"
    WRONG_FIELD_COUNT = "wrong_field_count"
    MODEL_FAILED = "model_failed"


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """One reason for which one row was not scored. `column` is empty where none is to blame."""

    code: RowReason
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.column}: {self.message}" if self.column else self.message


def rejected_text(reasons: Iterable[Mapping[str, Any]]) -> str:
    """Return the text of a result's `rejected` column: each reason's sentence, and its code for filters.

    Raises:
        KeyError: a reason lacks its code or message.
    """
    return "; ".join(
        f"{reason['column']}: {reason['message']} [{reason['code']}]"
        if reason.get("column")
        else f"{reason['message']} [{reason['code']}]"
        for reason in reasons
    )


@dataclass(eq=False, kw_only=True)
class Unscorable(Exception):  # noqa: N818 - the domain's word for it
    """An upload cannot be read as this model's table. It is an outcome, not a fault.

    `line` counts from 1 with the header; `byte` counts from 0. Where the file is compressed, both
    count in what it decompresses to, but for `NOT_GZIP`.
    """

    code: FileReason
    message: str
    column: str | None = None
    line: int | None = None
    byte: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def to_json(self, upload: Upload) -> str:
        """The document that stands for the upload's outcome. Equal inputs give equal bytes."""
        document = {
            "upload": asdict(upload),
            **asdict(self),
            "remedy": REMEDIES[self.code],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def lacking(missing: Sequence[str], wanted: Sequence[str]) -> str:
    """Return the message about a table without some of the columns that are wanted.

    One that has none of them is often another model's, or lacks its header line.
    """
    message = f"The table has no column {', '.join(map(repr, missing))}."
    if len(missing) == len(wanted) > 1:
        message += (
            " It has none of the model's columns: does it begin with their names, and is it this model's?"
        )
    return message
