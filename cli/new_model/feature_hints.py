"""What of a feature is guessed or not understood, and what to write instead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from cli.new_model.feature_notes import MANY_SENTENCES
from cli.new_model.hints import Hint, Weight
from cli.new_model.profile import Profile
from cli.new_model.types import MOSTLY, Typed, closed_set, is_code, is_prose
from cli.new_model.wording import quote, quoted, share

SENTINELS = (-9, -99, -999, -9999, -99999, 999, 9999, 99999, 999999)
"""What tables write where a number is not known."""
FAR = 3
"""A sentinel is so many times as far out as the other numbers reach."""
SENTINEL_ROWS = 2


def hints(column: Typed, *, foreign: str, omitted: str) -> Iterator[Hint]:
    profile, name = column.profile, column.profile.name
    if foreign:
        yield Hint(Weight.TIME if column.moments else Weight.NUMBER, name, f"left out: {foreign}")
    elif omitted:
        yield Hint(Weight.LEFT_OUT, name, f"left out: {omitted}")
    if omitted:
        return
    if column.numerals:
        yield Hint(Weight.NUMBER, name, f"a category: {column.numerals.found}", column.numerals.write)
    if column.type == "number":
        yield from _number_hints(profile)
    if column.type == "datetime" and profile.numbers.count:
        found = f"a datetime: whole numbers such as {next(iter(profile.counts))}"
        yield Hint(Weight.TYPE, name, found, 'type = "number" if they are none')
    if column.guessed_markers:
        found = f"{quoted(column.guessed_markers)} taken for missing"
        yield Hint(Weight.MISSING, name, found, "write a value instead if it is one")
    if column.type == "category":
        yield from _category_hints(profile)


def _number_hints(profile: Profile) -> Iterator[Hint]:
    for value, text, rows in _sentinels(profile):
        what = "lowest" if value < 0 else "highest"
        found = f"the {what} number is {text}, in {share(rows, profile.rows)} of the rows"
        yield Hint(Weight.MISSING, profile.name, found, f"missing = [{quote(text)}] if that means no value")


def _sentinels(profile: Profile) -> Iterator[tuple[float, str, int]]:
    """Numbers that are far from all others and look like a stand-in: value, text and rows."""
    if profile.many:
        return
    known = {text: float(text) for text in profile.counts if text not in profile.words.counts}
    for text, value in known.items():
        others = [abs(other) for other in known.values() if other != value]
        far = value in SENTINELS and others and abs(value) >= FAR * max(others)
        below_zero = value in SENTINELS and value < 0 <= min(known.values(), key=lambda x: (x == value, x))
        if (far or below_zero) and profile.counts[text] >= SENTINEL_ROWS:
            yield value, text, profile.counts[text]


def _category_hints(profile: Profile) -> Iterator[Hint]:
    numbers = profile.numbers
    if numbers.count and is_code(profile):
        found = "a category, for it is called as names and codes are"
        yield Hint(Weight.TYPE, profile.name, found, 'type = "number" if it is an amount')
    elif profile.odd and not numbers.padded and numbers.count >= MOSTLY / 2 * profile.present:
        found = f"a category: numbers but for {quoted(profile.odd)}"
        yield Hint(Weight.TYPE, profile.name, found, "write numbers in every row if it is an amount")
    if len(profile.values) > MANY_SENTENCES and is_prose(profile):
        yield Hint(Weight.TYPE, profile.name, "a category of sentences", 'type = "text" if its words matter')
    if (pairs := same_but_for_case(profile.values)) and not closed_set(profile):
        yield Hint(Weight.SPELLING, profile.name, f"values apart only by case, {quoted(pairs)}", "write one")
    if codes := [text for text in profile.values if text.upper() == "NA"]:
        found = f"{quoted(codes)} is taken for a code like the others"
        yield Hint(Weight.MISSING, profile.name, found, f"missing = [{quote(codes[0])}] if it means no value")


def same_but_for_case(texts: Iterable[str]) -> tuple[str, ...]:
    """The first texts that differ only in case; none where all differ in more."""
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        spellings[text.casefold()].append(text)
    return next((tuple(found) for found in spellings.values() if len(found) > 1), ())
