"""What a value may be, and that whole blocks are read by the very same rules."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from contract.reasons import FileReason, RowReason, Unscorable
from contract.schema import Feature
from tabular import values
from tabular.rows import ValueReader
from tests.fixtures.tables import MIXED_FEATURES

NUMBER = Feature(name="n", type="number", missing=("?", "-999"), minimum=-10, maximum=1e30)
ANY_NUMBER = Feature(name="n", type="number")
DATETIME = Feature(name="d", type="datetime", missing=("never",))
OPEN = Feature(name="c", type="category", missing=("?",))
CLOSED = Feature(name="c", type="category", values=("a", "b"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1.5", -1.5),
        (" 7 ", 7),
        ("\t.5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("+2", 2),
        ("\xa03", 3),
        ("007", 7),
    ],
)
def test_numbers_as_people_write_them(text: str, value: float) -> None:
    assert values.number(NUMBER, text) == value


@pytest.mark.parametrize("text", ["", "  ", "?", " ? ", "-999"])
def test_empty_values_and_markers_are_missing(text: str) -> None:
    assert math.isnan(values.number(NUMBER, text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", RowReason.NOT_A_NUMBER),
        ("1,000", RowReason.NOT_A_NUMBER),
        ("1_000", RowReason.NOT_A_NUMBER),
        ("1 000", RowReason.NOT_A_NUMBER),
        ("١٢", RowReason.NOT_A_NUMBER),
        ("0x10", RowReason.NOT_A_NUMBER),
        ("true", RowReason.NOT_A_NUMBER),
        ("nan", RowReason.NOT_FINITE),
        ("-inf", RowReason.NOT_FINITE),
        ("Infinity", RowReason.NOT_FINITE),
        ("1e39", RowReason.NOT_FINITE),
        ("1e400", RowReason.NOT_FINITE),
        ("-10.01", RowReason.BELOW_MINIMUM),
        ("1e31", RowReason.ABOVE_MAXIMUM),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(text: str, code: RowReason) -> None:
    with pytest.raises(values.RefusedError) as refused:
        values.number(NUMBER, text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("1970-01-02", 24),
        ("1970-01-01T12:30:00", 12.5),
        ("1970-01-01T12:00:00Z", 12),
        ("1970-01-01 12:00:00+12:00", 0),
        ("19700103", 48),
        ("1969-12-31", -24),
        ("0001-01-01T00:00:00+14:00", -719162 * 24 - 14),
    ],
)
def test_datetimes_become_hours_since_1970_in_utc(text: str, hours: float) -> None:
    assert values.hours(DATETIME, text) == hours


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_never_falls_into_the_hour_after_its_own(moment: datetime) -> None:
    found = values.hours(DATETIME, moment.isoformat())
    assert found == np.float32(found), "as the model will see it"
    exact = (moment - values.EPOCH) / timedelta(hours=1)
    assert found <= exact
    day = math.floor(found / 24)
    assert day == (moment - values.EPOCH).days
    if 57 < moment.year < 3880:
        assert math.floor(found) == math.floor(exact)


@pytest.mark.parametrize(
    ("text", "found"),
    [("a\ud800", "a\ufffd"), ("\udc00", "\ufffd"), ("\ud83d\ude00", "\U0001f600"), ("ß", "ß")],
)
def test_half_of_a_surrogate_pair_is_read_as_what_files_can_hold(text: str, found: str) -> None:
    """JSON can escape one alone, and a category goes into Parquet, the graph and the report."""
    assert values.category(OPEN, text) == found
    assert ValueReader([OPEN], ["c"]).read([["a"], [text]]).categories.tolist() == [["a"], [found]]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2024-05-31", "2024-05-31T00:00:00+00:00"),
        ("0001-01-01T00:00+14:00", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59-12:00", "9999-12-31T23:00:00+00:00"),
    ],
)
def test_hours_are_told_as_a_time_of_the_calendar(text: str, when: str) -> None:
    """The first and the last years reach beyond it by their offsets."""
    assert values.moment(values.hours(DATETIME, text)).isoformat() == when


TEXT = Feature(name="t", type="text", missing=("n/a",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (" Hello, WORLD! I'm  naïve\n55 ", "hello world naïve 55"),
        ("ﬁne ４２ ΣΑΣ", "fine 42 σας"),
        ("n/a", values.MISSING),
        ("a ! ?", values.MISSING),
        ("x" * 3 + " \ud800 yy\0zz", "xxx yy zz"),
    ],
)
def test_a_text_is_its_words(text: str, words: str) -> None:
    assert values.words(TEXT, text) == words


@given(st.text())
def test_words_are_those_that_scikit_learn_would_find(text: str) -> None:
    found = values.words(TEXT, text)
    assert values.words(TEXT, found) == found
    if text.isascii() and text.strip() not in ("", "n/a"):
        assert found.split() == CountVectorizer().build_analyzer()(text)


def test_a_text_is_read_up_to_so_many_words() -> None:
    assert values.words(TEXT, "word " * 2 * values.MOST_WORDS).count("word") == values.MOST_WORDS


def test_a_text_may_be_required() -> None:
    required = replace(TEXT, required=True)
    assert values.words(required, "!!!") == values.MISSING, "it is there, and says nothing"
    with pytest.raises(values.RefusedError):
        values.words(required, " ")


@pytest.mark.parametrize("text", ["yesterday", "1970-13-01", "01/02/1970", "12:00"])
def test_other_dates_are_refused(text: str) -> None:
    with pytest.raises(values.RefusedError) as refused:
        values.hours(DATETIME, text)
    assert refused.value.code == RowReason.NOT_A_DATETIME


def test_categories_of_open_and_closed_sets() -> None:
    assert values.category(OPEN, " anything ") == "anything"
    assert values.category(OPEN, "?") == values.MISSING
    assert values.category(CLOSED, "a") == "a"
    with pytest.raises(values.RefusedError, match="'c' is not one of 'a', 'b'") as refused:
        values.category(CLOSED, "c")
    assert refused.value.code == RowReason.NOT_IN_SET


@pytest.mark.parametrize(
    ("text", "digits"),
    [("1.0", "1"), ("-12.00", "-12"), ("0.0", "0"), ("1" * 30 + ".0", "1" * 30)]
    + [(text, text) for text in ("01", "1.5", "-0.0", "1.", ".0", "00.0", "1e0", "1.0.0", "v1.0", "１.0")],
)
def test_a_category_that_is_a_whole_number_is_its_digits(text: str, digits: str) -> None:
    assert values.category(OPEN, f" {text} ") == digits
    assert values.category(replace(OPEN, values=(digits, "x")), text) == digits
    assert values.category(replace(OPEN, values=(text, "x")), digits) in (text, digits)
    assert values.category(replace(OPEN, values=(digits, text)), text) == text
    assert values.category(replace(OPEN, missing=(text,)), digits) in ("", digits)
    assert values.category(replace(OPEN, missing=(digits,)), text) in ("", text)


def test_a_set_says_how_its_whole_numbers_are_written() -> None:
    rated = replace(OPEN, values=("1.0", "2.0"), missing=("9",))
    assert [values.category(rated, text) for text in ("1", "1.0", "2.00", "9.0")] == ["1.0", "1.0", "2.0", ""]
    with pytest.raises(values.RefusedError):
        values.category(rated, "3.0")


def test_a_required_value_must_be_there() -> None:
    with pytest.raises(values.RefusedError) as refused:
        values.number(Feature(name="n", type="number", required=True, missing=("?",)), " ?")
    assert refused.value.code == RowReason.MISSING


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(values.RefusedError) as refused:
        values.number(NUMBER, "x" * 10_000)
    assert len(str(refused.value)) < 100


RULES = {"number": values.number, "datetime": values.hours, "category": values.category, "text": values.words}
texts = st.one_of(
    st.text(max_size=8),
    st.floats(width=32).map(repr),
    st.integers().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.sampled_from(
        ["", " ", "?", "-1", "n/a", "never", "S", " M", "free", "1_0", "nan", "1e39", "-0", "10000.0001"]
    ),
)


@given(st.lists(st.lists(texts, min_size=6, max_size=6), max_size=5))
@example([["1", "", "", "S", "1_0", ""]])
@example([["9999", "red", "never", "S", "1", "free"], ["9999.0", "red", "never", "S", "1", "free"]])
@example([["1", "red", "never", "S", "١", "free"]])
def test_a_block_is_read_as_its_values_are(rows: list[list[str]]) -> None:
    block = ValueReader(MIXED_FEATURES, [feature.name for feature in MIXED_FEATURES]).read(rows)
    expected, faults = [], []
    for i, row in enumerate(rows):
        read: dict[str, list[Any]] = {"number": [], "category": []}
        for feature, text in zip(MIXED_FEATURES, row, strict=True):
            kind = "category" if feature.type == "category" else "number"
            try:
                read[kind].append(RULES[feature.type](feature, text))
            except values.RefusedError as refused:
                read[kind].append(values.MISSING if kind == "category" else math.nan)
                faults.append((i, feature.name, refused.code, str(refused)))
        expected.append(read)
    assert [fault[:4] for fault in block.refusals] == faults
    np.testing.assert_array_equal(
        block.numbers, np.array([row["number"] for row in expected], float).reshape(-1, 3)
    )
    assert block.categories.tolist() == [row["category"] for row in expected]


def test_columns_are_found_by_name_wherever_they_are() -> None:
    reader = ValueReader((ANY_NUMBER, OPEN), ["other", " c", "n"])
    block = reader.read([["x", "red", "5"]])
    assert (block.numbers.tolist(), block.categories.tolist()) == ([[5.0]], [["red"]])


@pytest.mark.parametrize(
    ("header", "code", "column"),
    [
        (["n"], FileReason.MISSING_COLUMN, "c"),
        (["n", "c", "c"], FileReason.DUPLICATE_COLUMN, "c"),
        (["N", "c"], FileReason.MISSING_COLUMN, "n"),
    ],
)
def test_a_header_without_a_column_or_with_two_is_refused(
    header: list[str], code: FileReason, column: str
) -> None:
    with pytest.raises(Unscorable) as refused:
        ValueReader((ANY_NUMBER, OPEN), header)
    assert (refused.value.code, refused.value.column) == (code, column)
