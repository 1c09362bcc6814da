"""A `model.toml` as text, with a comment for everything that was found and decided."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cli.new_model.features import Draft
from cli.new_model.hints import Hint, Weight
from cli.new_model.target import Target
from cli.new_model.wording import counted, quote
from contract.checks import MINIMUM_ROWS
from contract.names.estimators import built_in
from contract.schema import Training

MAX_ALIGNED = 60
"""Comments of longer lines are not aligned with the others."""
MAX_KEY = 24
SENSITIVE = frozenset({"age", "sex", "gender", "race", "ethnicity", "religion", "disability", "nationality"})
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything that goes into one `model.toml`."""

    name: str
    source: str
    """The table's file name."""
    rows: int
    target: Target
    drafts: Sequence[Draft]

    def __str__(self) -> str:
        sections = (
            self._head(),
            self._target(),
            self._row_id(),
            self._features(),
            self._omitted(),
            self._time(),
            self._fairness(),
            self._training(),
            self._validation(),
            self._gates(),
        )
        return "\n\n".join("\n".join(lines) for section in sections if (lines := list(section))) + "\n"

    def _head(self) -> Iterator[str]:
        origin = f"{self.rows:,} rows of {quote(self.source)}"
        yield f"# From {origin}, by ./millrace new-model. It is yours to edit."
        yield "# Every option, its default and what it means: docs/configuration.md."
        yield f"name        = {quote(self.name)}"
        yield f"description = {quote(f'Predicts {self.target.name}.')}"
        yield f'problem     = "{self.target.problem}"'

    def _target(self) -> Iterator[str]:
        target = self.target
        lines = {f"name     = {quote(target.name)}": target.note}
        if target.positive is not None:
            guess = " (a guess: name the one you look for)" if target.guessed else ""
            lines[f"positive = {quote(target.positive)}"] = f"probability is that of this value{guess}"
        if target.missing:
            lines[f"missing  = {_array(target.missing)}"] = "no label: rows with it are set aside"
        yield "[target]"
        yield from _commented(list(lines), lines.values())

    def _row_id(self) -> Iterator[str]:
        identifier = next((draft.name for draft in self.drafts if draft.identifies), None)
        if identifier is not None:
            yield "# [row_id]  # if this column names your rows"
            yield f"# name = {quote(identifier)}"

    def _features(self) -> Iterator[str]:
        yield "# A value that breaks what is said here rejects its row; the comments say what the table held."
        yield '# A category takes new values, too, until it is closed by values = ["…", "…"].'
        yield "# A datetime also enters as month, day, weekday and hour; a text as its words."
        yield "[features]"
        features = [draft for draft in self.drafts if not draft.omitted]
        yield from _commented(_lines(features), (draft.note for draft in features))

    def _omitted(self) -> Iterator[str]:
        omitted = [draft for draft in self.drafts if draft.omitted]
        if omitted:
            yield "# Left out. Uploads may have these columns; the model does not see them."
            lines = [f"# {line}" for line in _lines(omitted)]
            yield from _commented(lines, (draft.omitted for draft in omitted))

    @property
    def time(self) -> Draft | None:
        """The datetime that orders the rows, the first of several."""
        return next((draft for draft in self.drafts if draft.orders and not draft.omitted), None)

    @property
    def hints(self) -> Iterator[Hint]:
        """What is guessed of the rows' order in time, and of bounds."""
        if self.time:
            found = "it orders the rows, so the newest are held out"
            yield Hint(Weight.TIME, self.time.name, found, "take [time] out if rows do not follow each other")
        elif dates := self._datetimes():
            found = "the rows are not in its order, and held out at random"
            write = "take in [time] if it says when a row came to be"
            yield Hint(Weight.TYPE, dates[0].name, found, write)
        if bounded := [
            draft.name for draft in self.drafts if draft.minimum is not None and not draft.omitted
        ]:
            others = f", as of {counted(len(bounded) - 1, 'other')}," if bounded[1:] else ""
            found = f"min = 0{others} is a guess: no row was below"
            yield Hint(Weight.BOUND, bounded[0], found, "take it out if others may be")

    def _datetimes(self) -> list[Draft]:
        return [draft for draft in self.drafts if draft.type == "datetime" and not draft.omitted]

    def _time(self) -> Iterator[str]:
        if self.time:
            yield "[time]  # the rows are in its order: the newest are held out, as they come after training"
            yield f"name = {quote(self.time.name)}"
        elif found := self._datetimes():
            yield "# [time]  # if this says when a row came to be: then the newest rows are held out"
            yield f"# name = {quote(found[0].name)}"

    def _fairness(self) -> Iterator[str]:
        sensitive = [d.name for d in self.drafts if not d.omitted and d.name.lower() in SENSITIVE]
        if sensitive:
            yield "# [fairness]  # groups that the model must not treat unlike"
            yield f"# sensitive = {_array(sensitive)}"

    def _training(self) -> Iterator[str]:
        yield "[training]"
        others = [f'"{name}"' for name in built_in(self.target.problem) if name != Training.estimator]
        yield f'estimator = "{Training.estimator}"  # or {", ".join(others)}, "module:function"'

    def _validation(self) -> Iterator[str]:
        if self.rows < MINIMUM_ROWS:
            yield "[validation]"
            yield f"rows.minimum = {max(2, self.rows // 2)}  # a small table: its model is uncertain"

    def _gates(self) -> Iterator[str]:
        yield "[gates]  # a model that misses one is not registered: raise them to what you need"
        yield f'{self.target.metric} = "{self.target.condition}"  # {self.target.gate_note}'


def _line(draft: Draft, width: int) -> str:
    options = [f'type = "{draft.type}"']
    if draft.missing:
        options.append(f"missing = {_array(draft.missing)}")
    if draft.minimum is not None:
        options.append(f"min = {draft.minimum:g}")
    if draft.values is not None:
        options.append(f"values = {_array(draft.values)}")
    return f"{_key(draft.name):<{width}} = {{ {', '.join(options)} }}"


def _lines(drafts: Sequence[Draft]) -> list[str]:
    width = max((len(key) for draft in drafts if len(key := _key(draft.name)) <= MAX_KEY), default=0)
    return [_line(draft, width) for draft in drafts]


def _commented(lines: Sequence[str], comments: Iterable[str]) -> Iterator[str]:
    width = max((len(line) for line in lines if len(line) <= MAX_ALIGNED), default=0)
    return (f"{line:<{width}}  # {comment}" for line, comment in zip(lines, comments, strict=True))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else quote(name)


def _array(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(quote, texts))}]"
