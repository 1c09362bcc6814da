"""From what a column holds to the feature it becomes, or the reason to leave it out."""

from __future__ import annotations

from dataclasses import dataclass

from cli.new_model.feature_hints import hints
from cli.new_model.feature_notes import notes
from cli.new_model.hints import Hint, Weight
from cli.new_model.profile import MAX_DISTINCT, Profile
from cli.new_model.types import (
    IDENTIFIER_ROWS,
    MOSTLY,
    Typed,
    closed_set,
    is_named_like_identifier,
    is_named_like_index,
    share_of_own_values,
    typed,
)
from cli.new_model.wording import quote, quoted, share
from contract.checks import MAXIMUM_MISSING_SHARE
from contract.schema import FeatureType
from contract.serving import is_result_column

FEW_ODD = 20
FEW_AS_CATEGORY = 100
"""So many different numbers in a foreign writing still say something as categories."""
LEAST_COUNT = 0.0
BOUND_ROWS = 1_000
"""With fewer rows, that none is below zero says little of those to come."""


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
    orders: bool = False
    """Its dates rise or fall from the first row to the last."""
    hints: tuple[Hint, ...] = ()


def draft(profile: Profile) -> Draft:
    """The feature for a column: it accepts every value that the column holds."""
    column = typed(profile)
    unusable, foreign, identity = _unusable(profile), _foreign(column), _identity(profile, column)
    omitted = unusable or foreign or identity
    minimum = LEAST_COUNT if column.type == "number" and _counts(profile) else None
    return Draft(
        name=profile.name,
        type=column.type,
        note="; ".join(notes(column, minimum)),
        missing=column.missing,
        minimum=minimum,
        values=closed_set(profile) if column.type == "category" else None,
        omitted=omitted,
        identifies=bool(profile.name and identity and omitted == identity),
        orders=column.type == "datetime" and _orders(profile),
        hints=tuple(hints(column, foreign=foreign, omitted=omitted)),
    )


def twice(name: str) -> Draft:
    """What becomes of columns that share a name."""
    return _left_out(name, "there are two columns of this name: rename or remove one")


def unreadable(name: str, why: str) -> Draft:
    """What becomes of a column whose values training could not read."""
    return _left_out(name, why)


def _left_out(name: str, why: str) -> Draft:
    hint = Hint(Weight.TYPE, name, f"left out: {why}")
    return Draft(name=name, type="category", note="", omitted=why, hints=(hint,))


def _unusable(profile: Profile) -> str:
    if is_result_column(profile.name):
        return "results add a column of this name"
    if not profile.present:
        return "holds no value"
    if profile.present < (1 - MAXIMUM_MISSING_SHARE) * profile.rows:
        return f"missing in {share(profile.rows - profile.present, profile.rows)} of the rows"
    if len(profile.counts) == 1 and profile.present == profile.rows:
        return f"is {quote(next(iter(profile.counts)))} in every row"
    return ""


def _foreign(column: Typed) -> str:
    """Why values that are dates or numbers, but not written as training reads them, are of no use."""
    if column.moments:
        found, write = column.moments
        return f"{found}: {write}"
    numbers = column.numerals
    if numbers and (
        share_of_own_values(column.profile) > 0.5 or len(column.profile.values) > FEW_AS_CATEGORY
    ):
        return f"{numbers.found}: {numbers.write}"
    profile = column.profile
    if column.type == "category" and _mostly_numbers(profile) and share_of_own_values(profile) > 0.5:
        return f"numbers but for {quoted(profile.odd)}: write a number or nothing in every row"
    return ""


def _mostly_numbers(profile: Profile) -> bool:
    """Whether most values are numbers, and the others a few words rather than names of their own."""
    numbers = profile.numbers
    return not numbers.padded and 0 < len(profile.odd) <= FEW_ODD and numbers.count >= profile.present / 2


def _identity(profile: Profile, column: Typed) -> str:
    named = is_named_like_identifier(profile.name) or is_named_like_index(profile.name)
    if profile.present < IDENTIFIER_ROWS:
        return "" if profile.name else "has no name"
    if column.type == "number" and profile.unique and profile.numbers.whole and (profile.ordered or named):
        return "numbers the rows"
    if not profile.name:
        return "has no name"
    if column.type != "category":
        return ""
    if profile.many:
        return f"has more than {MAX_DISTINCT:,} different values"
    return "has its own value in almost every row" if share_of_own_values(profile) > MOSTLY else ""


def _counts(profile: Profile) -> bool:
    """Whether a column seems to count: then less than zero is a mistake."""
    numbers = profile.numbers
    return numbers.whole and numbers.low in (0, 1) and profile.present >= BOUND_ROWS


def _orders(profile: Profile) -> bool:
    order = profile.order
    return (order.rises or order.falls) and len(profile.values) >= IDENTIFIER_ROWS
