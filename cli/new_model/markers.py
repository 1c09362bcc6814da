"""Texts that mean "no value" in the tables that people have."""

from __future__ import annotations

import re
from collections.abc import Collection

MARKERS = frozenset(
    (
        *("?", "-", "--", "---", ".", "..", "*"),
        *("na", "n/a", "n.a.", "n.a", "#n/a", "#n/a n/a", "<na>", "nan", "-nan", "nat"),
        *("null", "(null)", "[null]", "<null>", "nil", "\\n", "#null!", "#div/0!", "#value!", "#ref!"),
        *("#num!", "#name?", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "0000-00-00", "0000-00-00 00:00:00"),
    )
)
"""In any case, in columns of every type."""

WEAK_MARKERS = frozenset(
    (
        *("none", "missing", "(missing)", "unknown", "unk", "undefined", "not available", "not applicable"),
        *("no data", "nodata", "n.d.", "nd", "tbd", "tba", "blank", "(blank)", "empty", "(empty)", "void"),
        *("inf", "-inf", "+inf", "infinity", "-infinity", "error", "#error", "xx", "n.k.", "never"),
    )
)
"""In any case, among numbers and dates. Among words they may be a value like any other."""

_CODE = re.compile(r"[A-Z]{2}")
FEW_CODES = 3


def is_marker(text: str) -> bool:
    """Whether a text means "no value" in most tables."""
    return text.lower() in MARKERS


def is_weak_marker(text: str) -> bool:
    """Whether a text means "no value" where all others are numbers or dates."""
    return text.lower() in WEAK_MARKERS


def codes_like_markers(texts: Collection[str]) -> frozenset[str]:
    """Of a column's texts the markers that are codes: `NA` is Namibia's among those of other countries."""
    like = {text for text in texts if is_marker(text) and _CODE.fullmatch(text)}
    others = {text for text in texts if not is_marker(text)}
    if len(others) >= FEW_CODES and all(map(_CODE.fullmatch, others)):
        return frozenset(like)
    return frozenset()
