"""What the comment beside a feature says that the table held."""

from __future__ import annotations

from collections.abc import Iterator

from cli.new_model.types import FIRST_DATE, LAST_DATE, Typed, closed_set, is_prose
from cli.new_model.wording import bounds, listed, quoted, share, short

MANY_SENTENCES = 20
"""More different ones may be answers out of a list, or what people wrote more than once."""


def notes(column: Typed, minimum: float | None) -> Iterator[str]:
    profile, numbers = column.profile, column.profile.numbers
    if column.type == "number":
        yield bounds(numbers.low, numbers.high, whole=numbers.whole)
        if minimum is not None:
            yield "min is a guess: no row was below"
        if numbers.whole and numbers.low >= FIRST_DATE and numbers.high <= LAST_DATE:
            yield 'type = "datetime" if these are dates'
    elif column.type == "datetime":
        yield f"such as {next(text for text in profile.counts if text not in column.missing)}"
    elif column.type == "text":
        yield f"free text, such as {short(next(iter(profile.values)))}"
    elif profile.present:
        yield from _category_notes(column)
    if column.guessed_markers:
        yield f"takes {quoted(column.guessed_markers)} for missing"
    absent = profile.rows - profile.present
    if profile.present and absent:
        yield f"missing in {share(absent, profile.rows)}"


def _category_notes(column: Typed) -> Iterator[str]:
    profile, numbers = column.profile, column.profile.numbers
    yield listed(profile.values, profile.present, many=profile.many)
    if closed_set(profile):
        yield "in any case"
    if len(profile.values) > MANY_SENTENCES and is_prose(profile):
        yield 'type = "text" if it is the words that matter'
    if numbers.padded:
        yield "codes: some begin with 0"
    elif numbers.count >= profile.present / 2:
        yield f"numbers but for {quoted(profile.odd)}" if profile.odd else "numbers"
