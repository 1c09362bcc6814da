"""CSV records out of bytes: as `csv.reader` reads them, however the bytes arrive."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.reasons import FileReason, Unscorable
from tabular.formats import encoding
from tabular.formats.encoding import UTF_8, encoding_of, texts
from tabular.formats.records import csv_record, records
from tabular.formats.streams import Peekable


class Trickle(io.BytesIO):
    """Gives at most so many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self.size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.size)


def located(stream: io.BytesIO, limit: int = 1000, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    peekable = Peekable(stream)
    return list(records(texts(peekable, encoding_of(peekable)), limit, delimiter))


def read(data: bytes, *, size: int = 65536, limit: int = 1000, delimiter: str = ",") -> list[list[str]]:
    return [fields for _, fields in located(Trickle(data, size), limit, delimiter)]


def refused(data: bytes, *, limit: int = 1000, delimiter: str = ",") -> Unscorable:
    with pytest.raises(Unscorable) as caught:
        read(data, limit=limit, delimiter=delimiter)
    return caught.value


fragments = st.lists(
    st.sampled_from(
        ['"', '""', ",", "\n", "\r\n", "\r", "a", "é", "\u2028", "\x0b", "\x85", "\x00", "𝔘", " "]
    )
)


@given(
    fragments.map("".join), st.integers(1, 7), st.sampled_from(",;|"), st.sampled_from(["utf-8", "utf-16"])
)
def test_records_are_those_of_csv_reader_for_any_chunking(
    content: str, size: int, delimiter: str, codec: str
) -> None:
    content = "begin" + content.replace(",", delimiter)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    try:
        expected = [fields for fields in reader if fields]
    except csv.Error:
        assert refused(content.encode(codec), delimiter=delimiter).code is FileReason.NOT_CSV
    else:
        assert read(content.encode(codec), size=size, delimiter=delimiter) == expected


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=5), min_size=1, max_size=3)),
    st.sampled_from(",;\t|"),
)
def test_a_written_record_is_read_as_it_was(rows: list[list[str]], delimiter: str) -> None:
    written = b"".join(csv_record(row, delimiter) + b"\n" for row in rows)
    found = records(texts(Peekable(io.BytesIO(written)), UTF_8), 1000, delimiter)
    assert [fields for _, fields in found] == rows


@given(st.lists(fragments.map("".join), min_size=1, max_size=4), st.sampled_from(",;\t|"))
def test_a_record_is_written_as_csv_writer_does(fields: list[str], delimiter: str) -> None:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\r\n").writerow(fields)
    assert csv_record(fields, delimiter) == line.getvalue().removesuffix("\r\n").encode()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_is_no_part_of_the_first_name(size: int) -> None:
    assert read("\ufeffa,b\n\ufeff,é\n".encode(), size=size) == [["a", "b"], ["\ufeff", "é"]]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_each_record_knows_the_line_it_begins_on(size: int) -> None:
    data = b'a,b\r\n\n"x\r\ny",1\r2,3\n'
    assert [line for line, _ in located(Trickle(data, size))] == [1, 3, 5]


@pytest.mark.parametrize(
    ("data", "byte"),
    [
        (b"\x89PNG\r\n\x1a\n", 0),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", 10),
        ("a\nb".encode("utf-16-le"), 1),
        ("a\nb".encode("utf-16-be"), 0),
        ("a\nb".encode("utf-32"), 2),
        (codecs.BOM_UTF16_LE + "a\nb".encode("utf-16-le") + b"c", 8),
        (codecs.BOM_UTF16_BE + "a\n".encode("utf-16-be") + b"\xdc\x00\x00a", 6),
        (b"a,b\n1,caf\xe9\n", 9),
        ("\ufeff".encode() + b"a\n\xff", 5),
        (b"a\n\xc3", 2),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 65536])
def test_what_is_not_utf8_is_refused_at_its_byte(data: bytes, byte: int, size: int) -> None:
    with pytest.raises(Unscorable) as caught:
        read(data, size=size)
    assert (caught.value.code, caught.value.byte) == (FileReason.UNDECODABLE, byte)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b'a,b\n1,"never closed\n3,4\n', 2),
        (b'a,b\n"x\ny","never\nclosed', 3),
        (b'a,b\n1,"open\n2,"closed"\n', 2),
        (b'a,b\n1,2\n"said "hi"",2\n', 3),
        (b'"', 1),
    ],
)
def test_a_broken_quote_is_refused_at_the_line_where_it_opens(data: bytes, line: int) -> None:
    why = refused(data)
    assert (why.code, why.line) == (FileReason.NOT_CSV, line)


def test_one_line_longer_than_a_request_is_too_large() -> None:
    why = refused(b"a\n1\n" + b"x" * 1001, limit=1000)
    assert (why.code, why.line) == (FileReason.ROW_TOO_LARGE, 3)


def test_a_quote_left_open_over_many_lines_is_blamed_rather_than_the_row() -> None:
    why = refused(b'a,b\n1,"open\n' + b"2,3\n" * 1000, limit=1000)
    assert (why.code, why.line) == (FileReason.NOT_CSV, 2)


def test_reading_stops_at_the_limit_and_not_at_the_end() -> None:
    stream = io.BytesIO(b"a\n" + b"x" * 100 * encoding.READ_BYTES)
    with pytest.raises(Unscorable):
        located(stream, encoding.READ_BYTES)
    assert stream.tell() <= 3 * encoding.READ_BYTES
