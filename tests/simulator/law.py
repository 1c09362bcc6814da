"""The conservation law, checked from what lies in the buckets and from nothing else.

Every version of an upload has exactly one outcome. A scored one has the upload's rows in
their order, each as the model version that it names says. An unscorable one has a reason
that is true. Nothing else exists.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract import layout
from contract.reasons import REMEDIES, FileReason
from contract.serving import CSV, JSON_LINES, MODEL_VERSION, REJECTED, UNSEEN
from tests.simulator.models import Model, Models
from tests.simulator.s3 import Bucket, Version
from tests.simulator.tables import Sheet, Upload, objects


@dataclass(frozen=True)
class Violation:
    """`kind` is lost, doubled, wrong or stray."""

    kind: str
    key: str
    detail: str

    def of_world(self, world: int) -> Violation:
        """The same, naming where it was."""
        return replace(self, key=f"world {world}: {self.key}")


@dataclass
class Verdict:
    """What was found, and how often what was right."""

    violations: list[Violation] = field(default_factory=list)
    scored: int = 0
    rows: int = 0
    rejected: int = 0
    mixed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


class _WrongError(Exception):
    """The outcome is not what it must be."""


@dataclass(frozen=True)
class Law:
    """`meant` says by its bytes what the author of an upload meant."""

    models: Models
    meant: Mapping[bytes, Upload]

    def check(self, uploads: Iterable[Version], removed: Iterable[Version], results: Bucket) -> Verdict:
        """Compare the data bucket's versions with the results. What its owner `removed` may have none."""
        verdict = Verdict()
        found = {version.key: version for version in results.current()}
        for key, versions in results.objects.items():
            if sum(version.body is not None for version in versions) > 1:
                verdict.violations.append(Violation("doubled", key, "was written more than once"))
        stems = defaultdict(list)
        for key in found:
            stems[key.rpartition("/")[0], key.rpartition("/")[2].partition(".")[0]].append(key)
        for upload, is_removed in [*((u, False) for u in uploads), *((u, True) for u in removed)]:
            outcomes = []
            for place in (
                layout.scored_stem(upload.key, upload.version_id),
                layout.unscorable_key(upload.key, upload.version_id),
            ):
                folder, _, name = place.rpartition("/")
                outcomes += stems.pop((folder, name.partition(".")[0]), [])
            self._check_upload(upload, [found[key] for key in outcomes], verdict, is_removed)
        left = [key for keys in stems.values() for key in keys]
        verdict.violations += [Violation("stray", key, "belongs to no upload") for key in left]
        return verdict

    def _check_upload(
        self, upload: Version, outcomes: Sequence[Version], verdict: Verdict, is_removed: bool
    ) -> None:
        assert upload.body is not None
        if len(outcomes) != 1:
            if outcomes or not is_removed:
                kind = "doubled" if outcomes else "lost"
                detail = f"{upload.version_id} has the outcomes {[o.key for o in outcomes]}"
                verdict.violations.append(Violation(kind, upload.key, detail))
            return
        (outcome,) = outcomes
        meant = self.meant[upload.body]
        try:
            if outcome.key.startswith(layout.SCORED_PREFIX):
                self._check_scored(outcome, meant, verdict)
            else:
                verdict.reasons[self._checked_reason(outcome, meant)] += 1
        except (_WrongError, ValueError, LookupError, TypeError, EOFError, OSError) as error:
            verdict.violations.append(Violation("wrong", outcome.key, f"{type(error).__name__}: {error}"))

    def _check_scored(self, outcome: Version, meant: Upload, verdict: Verdict) -> None:
        if meant.unreadable:
            raise _WrongError(f"was scored, and is {set(meant.unreadable)}")
        rows = _read(outcome, meant)
        sheet = meant.sheet
        if len(rows) != len(sheet.rows):
            raise _WrongError(f"has {len(rows)} rows of {len(sheet.rows)}")
        versions = {said[MODEL_VERSION] for _, said in rows}
        answers = {version: self._answers(self.models[version], meant) for version in sorted(versions)}
        for number, (own, said) in enumerate(rows):
            if own != _own(sheet, number, meant.form.kind):
                raise _WrongError(f"row {number} is {own}")
            _check_row(number, said, answers[said[MODEL_VERSION]][number], ragged=number in sheet.ragged)
            verdict.rejected += bool(said[REJECTED])
        verdict.scored += 1
        verdict.rows += len(rows)
        verdict.mixed += len(versions) > 1

    def _answers(self, model: Model, meant: Upload) -> list[dict[str, Any]]:
        answers = model.says(*_question(meant))
        if isinstance(answers, str):
            raise _WrongError(f"names {model.version}, which refuses it: {answers}")
        return answers

    def _checked_reason(self, outcome: Version, meant: Upload) -> str:
        document = json.loads(outcome.body or b"")
        code = FileReason(document["code"])
        refusals = {model.says(*_question(meant)) for model in self._refusing(meant)}
        if code not in meant.unreadable and code not in refusals:
            raise _WrongError(f"is said to be {code}, and is {set(meant.unreadable) or 'a table'}")
        if document["remedy"] != REMEDIES[code] or not document["message"]:
            raise _WrongError("has no sentence or no remedy")
        return str(code)

    def _refusing(self, meant: Upload) -> Iterator[Model]:
        for model in self.models.values():
            if not {feature.name for feature in model.contract.features} <= {*meant.sheet.columns}:
                yield model


def _question(meant: Upload) -> tuple[str, bytes]:
    """The whole table as one request, written by the simulator itself."""
    sheet = meant.sheet
    if meant.form.kind == "jsonl":
        return JSON_LINES, "".join(json.dumps(row) + "\n" for row in objects(sheet)).encode()
    text = io.StringIO()
    rows = [_cells(sheet, number) for number in range(len(sheet.rows))]
    csv.writer(text).writerows([sheet.columns, *rows])
    return CSV, text.getvalue().encode()


def _cells(sheet: Sheet, number: int) -> list[str]:
    """A row's own fields in a result: as many as there are columns."""
    row = list(sheet.rows[number])
    return [*row[:-1], ""] if number in sheet.ragged and number % 2 == 0 else row


def _own(sheet: Sheet, number: int, kind: str) -> dict[str, str]:
    return dict(zip(sheet.columns, _cells(sheet, number), strict=True))


def _read(outcome: Version, meant: Upload) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Each row's own columns, and those that were added."""
    form = meant.form
    body = outcome.body or b""
    if outcome.key.endswith(".gz") != form.compressed:
        raise _WrongError("is compressed differently")
    text = (gzip.decompress(body) if form.compressed else body).decode(form.encoding)
    if form.kind == "jsonl":
        rows = [json.loads(line, parse_float=str, parse_int=str) for line in text.splitlines()]
    else:
        header, *records = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
        if len(set(header)) != len(header):
            raise _WrongError("has a column twice")
        rows = [dict(zip(header, record, strict=True)) for record in records]
    own = meant.sheet.columns
    if any(tuple(row)[: len(own)] != own for row in rows):
        raise _WrongError("has its columns in another order")
    return [
        ({name: row[name] for name in own}, {name: row[name] for name in row if name not in own})
        for row in rows
    ]


def _check_row(number: int, said: dict[str, Any], answer: dict[str, Any], *, ragged: bool) -> None:
    rejected = said[REJECTED] or ""
    if ragged or REJECTED in answer:
        codes = ["wrong_field_count"] if ragged else [reason["code"] for reason in answer[REJECTED]]
        missing = [code for code in codes if f"[{code}]" not in rejected]
        predicted = {
            name: value for name, value in said.items() if name not in (REJECTED, MODEL_VERSION) and value
        }
        if missing or predicted:
            raise _WrongError(f"row {number} lacks the reasons {missing}, or is predicted: {predicted}")
        return
    expected = {**answer, REJECTED: ""}
    expected.pop(UNSEEN, None)
    actual = {name: value or "" for name, value in said.items() if name != MODEL_VERSION}
    if actual != expected:
        raise _WrongError(f"row {number} is {actual}, and must be {expected}")
