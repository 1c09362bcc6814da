"""Cut anywhere, an upload comes to what `score_upload` makes of it, or is refused as it refuses it."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.parts import PartCounts
from contract.reasons import Unscorable
from scoring.batch.cutting import CUTTERS
from scoring.server.parts import PartScorer
from scoring.server.predictor import Predictor
from tabular.formats.detection import opened
from tests.fixtures.files import score
from tests.fixtures.real_model import VERSION, RealModel
from tests.fixtures.tables import mixed

HEADER = mixed().header[:-1]
GOOD = ("100", "red", "2024-05-01", "S", "0.5", "free")

Outcome = tuple[bytes, int, int, dict[str, int]] | dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A sealed model, as both paths ask it."""

    whole: RealModel
    predictor: Predictor
    parts: PartScorer


@pytest.fixture(scope="session")
def model(mixed_model: Path) -> Model:
    predictor = Predictor(mixed_model)
    return Model(RealModel(mixed_model), predictor, PartScorer(predictor, VERSION, piece_bytes=100))


def at_once(model: Model, key: str, body: bytes) -> Outcome:
    """The content of the result that `score_upload` writes, and what it counts; or its refusal."""
    try:
        result, written = score(key, body, model=model.whole, features=model.whole.features)
    except Unscorable as why:
        return asdict(why)
    content = gzip.decompress(written) if result.compressed else written
    return content, result.scored, result.rejected, dict(result.unseen)


class Trickle(io.BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, body: bytes, most: int) -> None:
        super().__init__(body)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, self._most))


def in_parts(model: Model, key: str, body: bytes, read_bytes: int, rows_bytes: int) -> Outcome:
    """The same of parts that are cut, answered and put together."""
    try:
        stream, form, compressed = opened(key, Trickle(body, read_bytes), max_bytes=2**30)
        cuts = list(CUTTERS[form](stream, model.predictor, compressed=compressed, rows_bytes=rows_bytes))
    except Unscorable as why:
        return asdict(why)
    answers = [model.parts.respond(cut.body) for cut in cuts]
    counts = [PartCounts.parse(answer) for answer in answers]
    assert [each.rows for each in counts] == [cut.rows for cut in cuts]
    bodies = [answer[: -PartCounts.size(answer)] for answer in answers]
    rejected = sum(each.rejected for each in counts)
    scored = sum(each.rows for each in counts) - rejected
    unseen = sum((Counter(each.unseen) for each in counts), Counter[str]())
    content = b"".join(bodies)
    return gzip.decompress(content) if compressed else content, scored, rejected, dict(unseen)


texts = st.one_of(
    st.text("ab,;\"'\n\r ä€\u2028\x00", max_size=5),
    st.sampled_from(["", "1", "?", "S", "red", "2024-01-01", "ultraviolet"]),
)
rows = st.lists(
    st.one_of(
        st.just(GOOD),
        st.tuples(*[texts] * 6),
        st.lists(texts, max_size=8),
        st.just(("1", "ultraviolet", *GOOD[2:])),
    ),
    max_size=30,
)


def written(
    table: Sequence[Sequence[str]], delimiter: str, end: str, quoting: Any, raw: Sequence[str]
) -> str:
    """A CSV, in which some lines come from nobody's writer."""
    text = io.StringIO(newline="")
    write = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    for number, row in enumerate(table):
        write.writerow(row)
        if raw and number % 3 == 2:
            text.write(raw[number % len(raw)] + end)
    return text.getvalue()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=rows,
    dialect=st.tuples(
        st.sampled_from([",", ";", "\t", "|"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    ),
    raw=st.lists(st.text('a1,;"\n ', max_size=8), max_size=3),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    announced=st.booleans(),
    compressed=st.booleans(),
    read_bytes=st.integers(1, 400),
    rows_bytes=st.integers(1, 600),
)
@example(
    rows=[GOOD, GOOD, GOOD[:3], GOOD],
    dialect=(",", "\n", csv.QUOTE_MINIMAL),
    raw=["\n" * 60],
    codec="utf-8",
    announced=False,
    compressed=False,
    read_bytes=20,
    rows_bytes=600,
)
def test_a_csv(
    model: Model,
    rows: list[Sequence[str]],
    dialect: tuple[str, str, Any],
    raw: list[str],
    codec: str,
    announced: bool,
    compressed: bool,
    read_bytes: int,
    rows_bytes: int,
) -> None:
    delimiter, end, quoting = dialect
    text = f"sep={delimiter}{end}" * announced + written([HEADER, *rows], delimiter, end, quoting, raw)
    body = text.encode(codec)
    key = "a.csv.gz" if compressed else "a.csv"
    body = gzip.compress(body, mtime=0) if compressed else body
    assert in_parts(model, key, body, read_bytes, rows_bytes) == at_once(model, key, body)


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**25),
    st.floats(),
    st.sampled_from(["100", "red", "2024-05-01", "S", "ultraviolet", "ä", "\ud800", '"}\\']),
    st.lists(st.integers(), max_size=2),
)
objects = st.dictionaries(st.sampled_from([*HEADER, "id", 'the "note"']), cells)
nobody = st.text('{}[]",:1\\ \r', max_size=8)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(objects, max_size=30),
    end=st.sampled_from(["\n", "\r\n", " \r\n\n", "\r"]),
    separators=st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", " : ")]),
    raw=st.one_of(st.none(), nobody),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    compressed=st.booleans(),
    read_bytes=st.integers(1, 400),
    rows_bytes=st.integers(1, 600),
)
def test_json_lines(
    model: Model,
    rows: list[dict[str, Any]],
    end: str,
    separators: tuple[str, str],
    raw: str | None,
    codec: str,
    compressed: bool,
    read_bytes: int,
    rows_bytes: int,
) -> None:
    complete = dict(zip(HEADER, GOOD, strict=True))
    lines = [json.dumps(row, separators=separators) for row in [complete, *rows]]
    body = end.join([*lines, *([] if raw is None else [raw])]).encode(codec)
    key = "a.jsonl.gz" if compressed else "a.jsonl"
    body = gzip.compress(body, mtime=0) if compressed else body
    assert in_parts(model, key, body, read_bytes, rows_bytes) == at_once(model, key, body)
