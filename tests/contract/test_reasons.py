from __future__ import annotations

import json

from contract.events import Upload
from contract.reasons import REMEDIES, FileReason, Rejection, RowReason, Unscorable


def test_every_reason_has_a_remedy() -> None:
    assert set(REMEDIES) == set(FileReason)


def test_codes_are_words_that_people_can_filter_on() -> None:
    assert all(code.isascii() and code.replace("_", "").islower() for code in (*FileReason, *RowReason))


def test_an_unscorable_uploads_document_says_what_why_where_and_what_to_do() -> None:
    why = Unscorable(code=FileReason.MISSING_COLUMN, message="No column 'âge'.", column="âge", line=1)
    document = why.to_json(Upload(bucket="b", key="score/k.csv", version_id="v"))
    assert document == why.to_json(Upload(bucket="b", key="score/k.csv", version_id="v"))
    assert json.loads(document) == {
        "upload": {"bucket": "b", "key": "score/k.csv", "version_id": "v"},
        "code": "missing_column",
        "message": "No column 'âge'.",
        "column": "âge",
        "line": 1,
        "byte": None,
        "remedy": REMEDIES[FileReason.MISSING_COLUMN],
    }
    assert str(why) == "missing_column: No column 'âge'."


def test_a_rejection_reads_as_a_sentence() -> None:
    assert str(Rejection(code=RowReason.MISSING, column="age", message="is required")) == "age: is required"
    assert str(Rejection(code=RowReason.MODEL_FAILED, column="", message="it failed")) == "it failed"
