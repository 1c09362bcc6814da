"""From what a column holds to the feature it becomes, or the reason to leave it out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cli.new_model.profile import MAX_DISTINCT, Profile
from cli.new_model.wording import bounds, listed, quote, quoted, share, short
from contract.checks import MAXIMUM_MISSING_SHARE
from contract.schema import FeatureType
from contract.serving import is_result_column

IDENTIFIER_ROWS = 20
"""With fewer rows, values that are all different prove nothing."""
MOSTLY = 0.9
FEW_WORDS = 3
PROSE_CHARACTERS, PROSE_BLANKS = 40, 2
MANY_SENTENCES = 20
"""More different ones may be answers out of a list, or what people wrote more than once."""
FIRST_DATE, LAST_DATE = 19000101, 21001231
"""Between these, whole numbers may be dates written without dashes."""

_IDENTIFIER_NAME = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|index|key)$|[a-z](?:Id|ID)$", re.IGNORECASE)
_FOREIGN_DATE = re.compile(r"\d{1,4}[./]\d{1,2}[./]\d{1,4}\b.*|\d{1,2}-\d{1,2}-\d{4}\b.*")
_YES_NO = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"on", "off"})


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What `model.toml` will say about a column. `omitted` is the reason to leave it out, or empty."""

    name: str
    type: FeatureType
    note: str
    missing: tuple[str, ...] = ()
    minimum: float | None = None
    values: tuple[str, ...] | None = None
    omitted: str = ""
    identifies: bool = False
    """It tells rows apart and says nothing about them."""


def draft(profile: Profile) -> Draft:
    """The feature for a column: it accepts every value that the column holds."""
    kind, missing = _type(profile)
    identity = _identity(profile, kind)
    return Draft(
        name=profile.name,
        type=kind,
        note="; ".join(_notes(profile, kind, missing)),
        missing=missing,
        minimum=0.0 if kind == "number" and profile.numbers.low >= 0 else None,
        values=_closed_set(profile) if kind == "category" else None,
        omitted=_unusable(profile) or identity,
        identifies=bool(identity),
    )


def _type(profile: Profile) -> tuple[FeatureType, tuple[str, ...]]:
    words, numbers = profile.words, profile.numbers
    odd = len(words.counts) - len(words.markers)
    tolerable = odd == 0 or (odd <= FEW_WORDS and numbers.count >= MOSTLY * profile.present)
    if numbers.count and tolerable and not numbers.padded:
        return "number", tuple(sorted(words.counts))
    if not numbers.count and words.datetimes and words.count > profile.marked:
        return "datetime", words.markers
    if _own_values(profile) > 0.5 and _is_prose(profile):
        return "text", words.markers
    return "category", words.markers


def _unusable(profile: Profile) -> str:
    if not profile.name:
        return "has no name"
    if is_result_column(profile.name):
        return "results add a column of this name"
    if not profile.present:
        return "holds no value"
    if profile.present < (1 - MAXIMUM_MISSING_SHARE) * profile.rows:
        return f"missing in {share(profile.rows - profile.present, profile.rows)} of the rows"
    if len(profile.counts) == 1 and profile.present == profile.rows:
        return f"is {quote(next(iter(profile.counts)))} in every row"
    return ""


def _identity(profile: Profile, kind: FeatureType) -> str:
    if profile.present < IDENTIFIER_ROWS:
        return ""
    named = bool(_IDENTIFIER_NAME.search(profile.name))
    if kind == "number":
        tells = profile.unique and profile.numbers.whole and (profile.ordered or named)
        return "numbers the rows" if tells else ""
    if kind in ("datetime", "text"):
        return ""
    own = _own_values(profile)
    if own > MOSTLY and _writes_foreign_dates(profile):
        return "dates, but not as 2024-05-01"
    if profile.many:
        return f"has more than {MAX_DISTINCT:,} different values"
    return "has its own value in almost every row" if own > MOSTLY else ""


def _own_values(profile: Profile) -> float:
    """The share of values that are different."""
    if profile.present < IDENTIFIER_ROWS:
        return 0.0
    return 1.0 if profile.many else len(profile.values) / profile.present


def _writes_foreign_dates(profile: Profile) -> bool:
    return all(map(_FOREIGN_DATE.fullmatch, profile.values))


def _is_prose(profile: Profile) -> bool:
    words = profile.words
    count = max(1, words.count)
    return words.characters / count > PROSE_CHARACTERS or words.blanks / count >= PROSE_BLANKS


def _closed_set(profile: Profile) -> tuple[str, ...] | None:
    values = profile.values
    return tuple(sorted(values)) if {value.lower() for value in values} in _YES_NO else None


def _notes(profile: Profile, kind: FeatureType, missing: tuple[str, ...]) -> Iterator[str]:
    if kind == "number":
        yield bounds(profile.numbers.low, profile.numbers.high, whole=profile.numbers.whole)
        if odd := [text for text in missing if text not in profile.words.markers]:
            yield f"takes {quoted(odd)} for missing"
        if profile.numbers.whole and profile.numbers.low >= FIRST_DATE and profile.numbers.high <= LAST_DATE:
            yield 'type = "datetime" if these are dates'
    elif kind == "datetime":
        yield f"such as {next(text for text in profile.words.counts if text not in missing)}"
    elif kind == "text":
        yield f"free text, such as {short(next(iter(profile.values)))}"
    elif profile.present:
        yield listed(profile.values, profile.present, many=profile.many)
        if len(profile.values) > MANY_SENTENCES and _is_prose(profile):
            yield 'type = "text" if it is the words that matter'
        if profile.numbers.padded:
            yield "codes: some begin with 0"
        elif profile.numbers.count >= profile.present / 2:
            odd = [text for text in profile.words.counts if text not in missing]
            yield f"numbers but for {quoted(odd)}" if odd else "numbers"
    absent = profile.rows - profile.present
    if profile.present and absent:
        yield f"missing in {share(absent, profile.rows)}"
