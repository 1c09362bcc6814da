"""Features of which a model sees little, because of what they are, not of what the target is."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tabular.values import plain_float

if TYPE_CHECKING:
    from training.validation.evidence import Column, Evidence

RARE_ROWS = 5
"""Values of a category, and words of a text, in fewer rows are not learned."""
MOSTLY = 0.5


def unlearnable(evidence: Evidence) -> dict[str, str]:
    """Why a model can learn little from a feature, by its name; of those from which it cannot."""
    found = {name: _why(evidence, column) for name, column in evidence.columns.items()}
    return {name: why for name, why in found.items() if why}


def _why(evidence: Evidence, column: Column) -> str:
    rows = len(column.values)
    if column.known < (1 - MOSTLY) * rows:
        return f"missing in {1 - column.known / max(rows, 1):.0%} of the rows"
    if column.feature.type == "text":
        return _no_words(evidence, column)
    if column.distinct < 2:
        return "the same in every row"
    return _rare_values(column) if column.feature.type == "category" else ""


def _rare_values(column: Column) -> str:
    counts = Counter(value for value in column.values.tolist() if value)
    rare = sum(rows for rows in counts.values() if rows < RARE_ROWS)
    if rare < MOSTLY * counts.total():
        return ""
    numbers = sum(rows for value, rows in counts.items() if plain_float(value) is not None)
    why = f"a category of {column.distinct:,} values, most in fewer than {RARE_ROWS} rows"
    if numbers < MOSTLY * counts.total():
        return why
    odd = [value for value in counts if plain_float(value) is None][:3]
    markers = f" and missing = {odd}".replace("'", '"') if odd else ""
    return f'{why}, though they are numbers: type = "number"{markers}?'


def _no_words(evidence: Evidence, column: Column) -> str:
    names = [feature.name for feature in evidence.contract.textual]
    texts = evidence.sample.texts[:, names.index(column.feature.name)]
    words = Counter(word for text in texts.tolist() for word in set(text.split()))
    if any(RARE_ROWS <= rows < len(texts) for rows in words.values()):
        return ""
    return f"a text of which no word is in {RARE_ROWS} rows"


def listed(reasons: dict[str, str]) -> str:
    """The reasons as a sentence has them, the first few."""
    some = [f"{name} ({why})" for name, why in list(reasons.items())[:3]]
    more = len(reasons) - len(some)
    return ", ".join(some) + (f" and {more} more" if more else "")
