"""Files and the endpoint take and refuse the same JSON, by the same code and at the same line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract import serving
from contract.reasons import Unscorable
from contract.schema import Feature
from tabular.formats import jsonlines
from tabular.formats.streams import Peekable
from tabular.json_values import JsonDecoder, exact_table

FEATURES = [Feature(name="x", type="number"), Feature(name="c", type="category")]
DECODER = JsonDecoder(FEATURES)

LINES = [
    b'{"x": 1, "c": "a"}',
    b'{"x":1,"c":"a"}',
    b'{"x": 1,}',
    b"{'x': 1}",
    b'{x: 1, "c": 2}',
    b'{"x": NaN, "c": Infinity}',
    b'{"x": nan}',
    b'{"x": 01}',
    b'{"x": +1}',
    b'{"x": .5}',
    b'{"x": 1.}',
    b'{"x": 1e999, "c": -0}',
    b'{"x": 123456789012345678901234567890}',
    b'{"x": "\x01"}',
    b'{"x": "\\x"}',
    b'{"x": "\\ud800", "c": "\\ud83d\\ude00"}',
    b'{"x": "\xff"}',
    b'{"x": tru}',
    b'{"x": 1} {"x": 2}',
    b'{"x": 1}}',
    b'{"x": 1',
    b"{}",
    b"[]",
    b"1",
    b"null",
    b'"text"',
    b"\x0c",
    b"\xc2\xa0",
    b" \t ",
    b'{"x": 1}\r{"x": 2}',
    b'\xef\xbb\xbf{"x": 1}',
    b'{"x": 1, "x": 2}',
    b'{"x": 1, "other": {"a": 1, "a": 2}}',
    b'{"x": [1], "c": {"k": null}}',
    *(b'{"%b": %b%b}' % (name, b"[" * deep, b"]" * deep) for name in (b"x", b"o") for deep in (1, 63, 64, 90)),
    b'{"x": "%b"}' % (b"[{" * 90),
]  # fmt: skip


def of_file(body: bytes) -> Any:
    with io.BytesIO() as scratch:
        return jsonlines.read(Peekable(io.BytesIO(body)), scratch).names


def of_endpoint(body: bytes) -> Any:
    return DECODER.decode(serving.JSON_LINES, body)


def refusal(read: Callable[[bytes], Any], body: bytes) -> tuple[str, int | None] | None:
    """The code and the line; None of what is taken."""
    try:
        read(body)
    except Unscorable as why:
        return why.code, why.line
    return None


SOUND = b'{"x": 5, "c": "b"}'


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("around", [(), (SOUND,), (SOUND, SOUND)])
def test_a_line_is_taken_or_refused_by_both(line: bytes, around: tuple[bytes, ...]) -> None:
    body = b"\n".join([*around, line, *around])

    assert refusal(of_endpoint, body) == refusal(of_file, body)


def test_of_a_key_that_is_there_twice_the_last_value_counts() -> None:
    body = b'{"x": 1, "c": "a", "x": 2}'
    fast, exact = (
        DECODER.decode(serving.JSON_LINES, body),
        exact_table(serving.JSON_LINES, body, ["x", "c"], ["x"]),
    )
    for table in (fast, exact):
        values = {name: [*column] for name, column in zip(table.header, table.columns, strict=True)}
        assert values == {"x": [2.0], "c": ["a"]}


@pytest.mark.parametrize("deep", [63, 64])
def test_a_list_of_objects_may_nest_as_deep_as_lines_may(deep: int) -> None:
    line = b'{"x": 1, "o": %b%b}' % (b"[" * deep, b"]" * deep)

    as_list = refusal(lambda body: DECODER.decode(serving.JSON, body), b"[" + line + b"]")

    assert (as_list is None) == (refusal(of_file, line) is None) == (deep == 63)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xck"), inner, max_size=2),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(["x", "c", "k", "ü"]), values, max_size=4)


@given(st.lists(objects | values, min_size=1, max_size=4), st.data())
@example([{"x": 1}], None)
def test_whatever_is_done_to_a_text_both_say_the_same(rows: list[Any], data: st.DataObject | None) -> None:
    body = bytearray("\n".join(map(json.dumps, rows)).encode())
    for _ in range(data.draw(st.integers(0, 3)) if data else 0):
        assert data is not None
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from(
                [b"", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r", b"\\", b"0", b" ", b"\xff"]
            )
        )
    outcomes = [refusal(read, bytes(body)) for read in (of_endpoint, of_file)]

    assert outcomes[0] == outcomes[1]
