"""The type a careful colleague would give a column, by what it holds and what it is called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from cli.new_model import moments, numerals
from cli.new_model.markers import is_weak_marker
from cli.new_model.profile import Profile, hours
from contract.schema import YES_NO, FeatureType

MOSTLY = 0.9
FEW_WORDS = 3
AMOUNTS = 20
"""A column with more different numbers holds amounts: a word among them is no value of its own."""
SOME = 0.1
"""Of the rows, those that must hold a number for a column with words to be one of numbers."""
FEW_DATES = 10
"""So many different numbers that all are dates are no accident."""
IDENTIFIER_ROWS = 20
"""With fewer rows, values that are all different prove nothing."""
PROSE_CHARACTERS, PROSE_WORDS = 40, 3
FIRST_DATE, LAST_DATE = 19000101, 21001231
"""Between these, whole numbers may be dates written without dashes."""

_IDENTIFIER_NAME = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|index|key)$|[a-z](?:Id|ID)$", re.IGNORECASE)
_INDEX_NAME = re.compile(
    r"|unnamed: ?\d+|index|level_0|row_?(?:names?|num(?:ber)?|nr|no)?|\.\.\.1|_c0", re.IGNORECASE
)
_CODE_NAME = re.compile(
    r"(?:^|[\W_])(?:zip|zip_?code|post_?code|postal_?code|plz|fips|naics|area_?code|phone|tel)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Typed:
    """A column's type, the texts that mean "no value" in it, and what it writes in a foreign way."""

    profile: Profile
    type: FeatureType
    missing: tuple[str, ...] = ()

    @cached_property
    def numerals(self) -> numerals.Numerals | None:
        """How the column's values write numbers otherwise than plainly."""
        plain = self.type == "number" or not self.profile.words.count
        return None if plain else numerals.numerals(self.profile.values.keys() - set(self.missing))

    @cached_property
    def moments(self) -> tuple[str, str] | None:
        """What the column's values are if they are dates, but not in ISO 8601, and what to write."""
        if self.type not in ("category", "text"):
            return None
        return moments.foreign(self.profile.values.keys() - set(self.missing))

    @property
    def guessed_markers(self) -> tuple[str, ...]:
        """Of the texts taken for "no value" those that do not plainly say so."""
        return tuple(text for text in self.missing if text not in self.profile.markers)


def typed(profile: Profile) -> Typed:
    """The type of a column. Any text that it holds is a value of it, or one of `missing`."""
    words, numbers = profile.words, profile.numbers
    everything = tuple(sorted(words.counts))
    if numbers.count and numbers.dates and not profile.odd and _are_dates(profile):
        return Typed(profile, "datetime", everything)
    if numbers.count and not numbers.padded and _only_markers(profile, numbers.count, numbers=True):
        if is_code(profile):
            return Typed(profile, "category", profile.markers)
        return Typed(profile, "number", everything)
    if not numbers.count and words.datetimes and _only_markers(profile, words.datetimes, numbers=False):
        return Typed(profile, "datetime", _undated(profile))
    if share_of_own_values(profile) > 0.5 and is_prose(profile):
        return Typed(profile, "text", profile.markers)
    return Typed(profile, "category", profile.markers)


def is_named_like_identifier(name: str) -> bool:
    """Whether a column is called as those that tell rows or things apart."""
    return bool(_IDENTIFIER_NAME.search(name))


def is_named_like_index(name: str) -> bool:
    """Whether a column is called as tools call the one that they add to number rows."""
    return bool(_INDEX_NAME.fullmatch(name))


def is_code(profile: Profile) -> bool:
    """Whether whole numbers name things, as post codes do: by the column's name."""
    named = is_named_like_identifier(profile.name) or _CODE_NAME.search(profile.name)
    return bool(named) and profile.numbers.whole and not profile.unique


def share_of_own_values(profile: Profile) -> float:
    """The share of values that are different."""
    if profile.present < IDENTIFIER_ROWS:
        return 0.0
    return 1.0 if profile.many else len(profile.values) / profile.present


def is_prose(profile: Profile) -> bool:
    """Whether the column's texts are sentences rather than names."""
    words = profile.words
    count = max(1, words.count)
    return words.characters / count > PROSE_CHARACTERS or words.words / count >= PROSE_WORDS


def closed_set(profile: Profile) -> tuple[str, ...] | None:
    """Two words such as yes and no, each as it is spelled most often."""
    spelled: dict[str, str] = {}
    for text, _ in profile.values.most_common():
        spelled.setdefault(text.lower(), text)
    return tuple(sorted(spelled.values())) if spelled.keys() in YES_NO else None


def _only_markers(profile: Profile, sound: int, *, numbers: bool) -> bool:
    """Whether all words but numbers (or dates), which `sound` rows hold, may mean "no value"."""
    odd = [text for text in profile.odd if not is_weak_marker(text) and (numbers or hours(text) is None)]
    if len(odd) <= FEW_WORDS and sound >= MOSTLY * profile.present:
        return True
    amounts = len(profile.values) - len(odd) > AMOUNTS and sound >= SOME * profile.present
    return not odd or (len(odd) <= FEW_WORDS and amounts and not (numbers and numerals.numerals(odd)))


def _are_dates(profile: Profile) -> bool:
    numbers = profile.numbers
    return numbers.low >= FIRST_DATE and numbers.high <= LAST_DATE and len(profile.counts) >= FEW_DATES


def _undated(profile: Profile) -> tuple[str, ...]:
    return tuple(sorted(text for text in profile.words.counts if hours(text) is None))
