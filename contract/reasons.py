"""Why an upload or a row was not scored: the codes, what they mean, what to do.

Codes are part of the interface: people filter on them. `docs/reasons.md` lists them and
a test holds it against this module.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum


class FileReason(StrEnum):
    """Why a whole upload could not be read as this model's table."""

    EMPTY_FILE = "empty_file"
    HEADER_ONLY = "header_only"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNDECODABLE = "undecodable"
    NOT_CSV = "not_csv"
    NOT_JSON = "not_json"
    MISSING_COLUMN = "missing_column"
    DUPLICATE_COLUMN = "duplicate_column"
    RESERVED_COLUMN = "reserved_column"
    TOO_LARGE = "too_large"
    ROW_TOO_LARGE = "row_too_large"


REMEDIES: dict[FileReason, str] = {
    FileReason.EMPTY_FILE: "Upload a CSV with a header line and at least one row.",
    FileReason.HEADER_ONLY: "Upload a CSV with at least one row under its header line.",
    FileReason.UNSUPPORTED_FORMAT: "Upload a CSV whose key ends in .csv.",
    FileReason.UNDECODABLE: "Save the file as CSV in UTF-8 and upload it again.",
    FileReason.NOT_CSV: "Close the quotes and escape quotes inside values by doubling them.",
    FileReason.NOT_JSON: "Send JSON objects of column names and values, one a line or in one list.",
    FileReason.MISSING_COLUMN: "Add the column, spelled as in the model's contract, in any place.",
    FileReason.DUPLICATE_COLUMN: "Rename or remove one of the columns with the same name.",
    FileReason.RESERVED_COLUMN: "Rename the column: the result adds one of that name.",
    FileReason.TOO_LARGE: "Split the file and upload the parts.",
    FileReason.ROW_TOO_LARGE: "Remove or shorten the oversized value: a row must fit in one request.",
}


class RowReason(StrEnum):
    """Why one row came back without a prediction."""

    MISSING = "missing"
    NOT_A_NUMBER = "not_a_number"
    NOT_FINITE = "not_finite"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NOT_IN_SET = "not_in_set"
    NOT_A_DATETIME = "not_a_datetime"
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


@dataclass(eq=False, kw_only=True)
class Unscorable(Exception):  # noqa: N818 - the domain's word for it
    """An upload cannot be read as this model's table. It is an outcome, not a fault.

    `line` counts from 1 with the header; `byte` counts from 0.
    """

    code: FileReason
    message: str
    column: str | None = None
    line: int | None = None
    byte: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def to_json(self, *, bucket: str, key: str, version_id: str) -> str:
        """The document that stands for the upload's outcome. Equal inputs give equal bytes."""
        document = {
            "upload": {"bucket": bucket, "key": key, "version_id": version_id},
            **asdict(self),
            "remedy": REMEDIES[self.code],
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
