"""docs/formats.md says what the code does: endings, limits, and how every kind of value is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.reasons import RowReason
from contract.schema import Feature
from contract.serving import MAX_REQUEST_BYTES
from tabular import parquet_decoder, values
from tabular.formats import compression, detection, jsonlines

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
NUMBER = Feature(name="n", type="number")
DATETIME = Feature(name="d", type="datetime")


def examples(after: str) -> list[str]:
    """The values in backquotes between a beginning and the end of its sentence."""
    sentence = re.split(r"\.\s", PAGE.split(after, 1)[1], maxsplit=1)[0]
    return [text for text in re.findall(r"`([^`]+)`", sentence) if "…" not in text]


def refusal(rule: Callable[[Feature, str], object], feature: Feature, text: str) -> RowReason | None:
    try:
        rule(feature, text)
    except values.RefusedError as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("after", "rule", "feature", "code"),
    [
        ("are written plainly:", values.number, NUMBER, None),
        ("`not_a_number`:", values.number, NUMBER, RowReason.NOT_A_NUMBER),
        ("as `not_finite`:", values.number, NUMBER, RowReason.NOT_FINITE),
        ("are ISO 8601:", values.hours, DATETIME, None),
        ("`not_a_datetime`:", values.hours, DATETIME, RowReason.NOT_A_DATETIME),
    ],
)  # fmt: skip
def test_every_example_is_read_as_the_page_says(
    after: str, rule: Callable[[Feature, str], object], feature: Feature, code: RowReason | None
) -> None:
    found = examples(after)
    assert len(found) > 2
    assert {text: refusal(rule, feature, text) for text in found} == dict.fromkeys(found, code)


def test_every_ending_is_listed() -> None:
    table = PAGE.split("| Upload |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"`(\.\w+)`", table)) == {*filter(None, detection.ENDINGS), detection.GZIP_ENDING}


def test_every_limit_is_the_codes() -> None:
    for said in (
        f"up to the first {values.MOST_WORDS:,}",
        f"{MAX_REQUEST_BYTES:,} bytes",
        f"{parquet_decoder.MAX_TABLE_BYTES // 1024**2} MiB when decoded",
        f"more than {jsonlines.MAX_DEPTH} deep",
        f"beyond {compression.UNSUSPICIOUS_BYTES // 1024**2} MiB, no more than {compression.MAX_RATIO} times",
    ):
        assert said in PAGE.replace("\n", " "), said
