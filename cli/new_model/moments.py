"""Dates and times as people write them and training does not read them."""

from __future__ import annotations

import re
from collections.abc import Collection

from cli.new_model.wording import short

_NUMBER = r"\d{1,2}"
_CLOCK = r"(?:[T ,]+\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?: ?[APap]\.?[Mm]\.?)?)?"
_ISO = r"\d{4}-\d{2}-\d{2}"
_WEEKDAY = r"(?:[^\W\d_]{2,10}\.?,? )?"
_MONTH = (
    r"(?i:jan|feb|fév|m[aäe]r|mrt|mär|apr|avr|abr|ma[iy]|mei|juin?|juil|jun|jul|aug|ago|aoû|sep|okt|oct|out|"
    r"nov|de[cz]|déc|dic|ene)[^\W\d_]*\.?"
)
_ZONE = (
    r"(?: ?[A-Z]{2,5}| ?[A-Z][a-z]+/[A-Za-z_/]+| ?(?:Z|[+-]\d{2}:?\d{2})?\[[\w/+-]+\]"
    r"| ?[+-]\d{2}:?\d{2}(?: ?[A-Z]{2,5})?)"
)
_TH = r"(?:st|nd|rd|th|\.)?"
_DATE = "write 2024-05-31"

_WRITINGS = tuple(
    (what, write, re.compile(pattern))
    for what, write, pattern in (
        ("dates", _DATE, rf"{_NUMBER}[./-]{_NUMBER}[./-](?:\d{{4}}|\d{{2}}){_CLOCK}{_ZONE}?"),
        ("dates", _DATE, rf"\d{{4}}[./-]{_NUMBER}[./-]{_NUMBER}{_CLOCK}"),
        ("dates", _DATE, rf"{_WEEKDAY}{_NUMBER}{_TH}[ -]{_MONTH},?[ -]\d{{2,4}}{_CLOCK}{_ZONE}?"),
        ("dates", _DATE, rf"{_WEEKDAY}{_MONTH} {{1,2}}{_NUMBER}{_TH},? \d{{4}}{_CLOCK}{_ZONE}?"),
        ("dates", _DATE, rf"{_WEEKDAY}{_MONTH} {{1,2}}{_NUMBER} [\d:]{{5,8}}{_ZONE}? \d{{4}}"),
        ("times with a zone's name", "write its offset, 2024-05-31T10:00+02:00", rf"{_ISO}{_CLOCK}{_ZONE}"),
        ("months", "write 2024-05-01", rf"\d{{4}}[-/.]{_NUMBER}|{_NUMBER}[-/.]\d{{4}}|{_MONTH}[ -]\d{{4}}"),
        ("quarters", "write 2024-04-01", r"\d{4}[- ]?Q[1-4]|Q[1-4][- /]?\d{4}"),
    )
)  # fmt: skip
_PARTS = re.compile(rf"({_NUMBER})[./-]({_NUMBER})[./-]\d")
_MONTHS, _DAYS = 12, 31


def foreign(texts: Collection[str]) -> tuple[str, str] | None:
    """What texts are that are all dates, but not in ISO 8601, and what to write; None if they are none."""
    for what, write, pattern in _WRITINGS:
        if texts and all(map(pattern.fullmatch, texts)) and all(map(_may_be_date, texts)):
            return f"{what}, such as {short(min(texts))}", write
    return None


def _may_be_date(text: str) -> bool:
    """Whether what may be a day and a month are no greater than those; other writings name the month."""
    match = _PARTS.match(text)
    if match is None:
        return True
    first, second = sorted(map(int, match.groups()))
    return 0 < first <= _MONTHS and second <= _DAYS
