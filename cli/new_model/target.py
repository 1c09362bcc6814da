"""From what the target column holds to the problem, its positive class and the first gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cli.kit.errors import CliError
from cli.new_model import numerals
from cli.new_model.feature_hints import same_but_for_case
from cli.new_model.hints import Hint, Weight
from cli.new_model.profile import Profile, number
from cli.new_model.wording import bounds, counted, listed, quote, quoted, share
from contract.checks import MINIMUM_CLASS_ROWS
from contract.schema import BOOLEANS, Problem

MAX_CODES = 20
"""A target of whole numbers with more different values is an amount, not a class."""
MAX_CLASSES = 100
AFFIRMATIVE = ("1", "yes", "y", "true", "t", "on", "positive", "pos")
FOOTERS = ("total", "sum", "grand total", "totals", "average", "mean", "gesamt", "summe", "somme")
"""What the last line of a sheet says that adds up those above it."""


class NothingToLearnError(CliError):
    """The table has nothing to predict, or nothing to predict it from."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What `model.toml` will say about the target."""

    name: str
    problem: Problem
    note: str
    metric: str
    condition: str
    gate_note: str
    positive: str | None = None
    guessed: bool = False
    """Nobody said which value is positive."""
    missing: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()


@dataclass(frozen=True)
class Labels:
    """The target's values without those that mean "no label"."""

    profile: Profile

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def counts(self) -> Counter[str]:
        return self.profile.values

    @property
    def words(self) -> tuple[str, ...]:
        """Labels that are no numbers."""
        return self.profile.odd

    @property
    def classes(self) -> Mapping[str, str]:
        """Each class by its label in lower case, as it is spelled most often."""
        spelled: dict[str, str] = {}
        for text, _ in self.counts.most_common():
            spelled.setdefault(text.casefold(), text)
        return spelled

    @property
    def footers(self) -> tuple[str, ...]:
        """Labels that stand once and seem to be of a sheet's last line."""
        return tuple(text for text in self.words if text.lower() in FOOTERS and self.counts[text] == 1)


def target(profile: Profile, *, problem: Problem | None = None, positive: str | None = None) -> Target:
    """Infer the problem from the target column, or hold what was asked for against it.

    Raises:
        CliError: the column has no value or only one, it cannot be the problem asked for, or
            it lacks the positive value.
    """
    labels = Labels(profile)
    if len(labels.counts) < 2:
        found = f"only {quoted(labels.counts)}" if labels.counts else "no value"
        raise NothingToLearnError(f"the target {profile.name!r} holds {found}: there is nothing to predict.")
    chosen = problem or ("binary" if positive is not None else _problem(labels))
    if chosen != "binary" and positive is not None:
        raise CliError(f"a {chosen} problem has no positive value: leave out --positive or --problem.")
    if chosen == "binary":
        return _binary(labels, positive, asked=problem is not None)
    return _multiclass(labels, asked=problem is not None) if chosen == "multiclass" else _regression(labels)


def _problem(labels: Labels) -> Problem:
    classes = labels.classes.keys() - {text.casefold() for text in labels.footers}
    if len(classes) == 2:
        return "binary"
    if not set(labels.words) - set(labels.footers):
        return "multiclass" if _are_codes(labels) else "regression"
    if len(labels.counts) <= MAX_CLASSES and not numerals.numerals(labels.counts):
        return "multiclass"
    raise CliError(
        f"the target {labels.name!r} holds {len(labels.counts):,} different values and some are no numbers "
        f"({quoted(labels.words)}): {_mend(labels)}, or choose a column of classes."
    )


def _are_codes(labels: Labels) -> bool:
    """Whether numbers are few, whole and frequent enough to be classes, of which each is learned."""
    few = labels.profile.numbers.whole and len(labels.counts) <= MAX_CODES
    return few and min(labels.counts.values()) >= min(MINIMUM_CLASS_ROWS, labels.counts.total() / MAX_CODES)


def _mend(labels: Labels) -> str:
    written = numerals.numerals(labels.counts)
    return f"it is {written.found}: {written.write}" if written else "mend those to predict a number"


def _binary(labels: Labels, positive: str | None, *, asked: bool) -> Target:
    counts = labels.counts
    classes = [text for text in labels.classes.values() if text not in labels.footers]
    if len(classes) > 2:
        raise CliError(
            f"the target {labels.name!r} holds {len(counts):,} different values ({quoted(counts)}) "
            "and a binary problem has two: use --problem multiclass."
        )
    if positive is not None and positive not in counts:
        raise CliError(f"no row has {labels.name} {quote(positive)}: --positive is one of {quoted(counts)}.")
    words = [text for text in classes if _affirms(text)]
    guess = words[0] if len(words) == 1 else min(sorted(classes), key=counts.__getitem__)
    return Target(
        name=labels.name,
        problem="binary",
        note=listed(counts, counts.total()),
        positive=positive or guess,
        guessed=positive is None,
        missing=labels.profile.markers,
        metric="roc_auc",
        condition=">= 0.7",
        gate_note="0.5 is guessing, 1 is perfect",
        hints=tuple(_hints(labels, "binary", guess=guess if positive is None else "", asked=asked)),
    )


def _affirms(text: str) -> bool:
    value = number(text)
    return text.lower() in AFFIRMATIVE or value == 1


def _multiclass(labels: Labels, *, asked: bool) -> Target:
    counts = labels.counts
    (common, rows), *_ = counts.most_common(1)
    return Target(
        name=labels.name,
        problem="multiclass",
        note=listed(counts, counts.total(), many=labels.profile.many),
        missing=labels.profile.markers,
        metric="accuracy",
        condition=f"> {rows / counts.total():.2f}",
        gate_note=f"always answering {quote(common)} is right in {share(rows, counts.total())}",
        hints=tuple(_hints(labels, "multiclass", asked=asked)),
    )


def _regression(labels: Labels) -> Target:
    numbers = labels.profile.numbers
    if set(labels.words) - set(labels.footers):
        raise CliError(
            f"the target {labels.name!r} is not a number in every row ({quoted(labels.words)}): "
            f"{_mend(labels)}, or choose --problem multiclass."
        )
    return Target(
        name=labels.name,
        problem="regression",
        note=bounds(numbers.low, numbers.high, whole=numbers.whole),
        missing=labels.profile.markers,
        metric="r2",
        condition=">= 0.2",
        gate_note="0 is answering the mean, 1 is perfect",
        hints=tuple(_hints(labels, "regression")),
    )


def _hints(labels: Labels, problem: Problem, *, guess: str = "", asked: bool = False) -> Iterator[Hint]:
    """What about the target is guessed, or would make training refuse the table."""
    profile = labels.profile
    if labels.footers:
        found = f"{quoted(labels.footers)} seems to be a sheet's last line"
        yield Hint(Weight.REFUSED, labels.name, found, "remove it")
    if problem != "regression":
        yield from _class_hints(labels)
    if guess:
        yield _hint(labels, f"{quote(guess)} is taken for the positive value", "--positive names another")
    if problem == "multiclass" and not labels.words and not asked:
        found = f"{len(labels.counts)} whole numbers taken for classes"
        yield _hint(labels, found, "--problem regression if they are counts or amounts")
    if problem == "regression" and profile.numbers.whole and len(labels.counts) <= MAX_CODES:
        found = f"{len(labels.counts)} whole numbers taken for an amount, for some are rare"
        yield _hint(labels, found, "--problem multiclass if they are classes")
    if aside := profile.rows - profile.present:
        found = (
            f"{counted(aside, 'row')} without a label {'is' if aside == 1 else 'are'} set aside in training"
        )
        yield _hint(labels, found)


def _class_hints(labels: Labels) -> Iterator[Hint]:
    if (pairs := same_but_for_case(labels.counts)) and labels.classes.keys() != BOOLEANS:
        found = f"classes apart only by case, {quoted(pairs)}"
        yield Hint(Weight.REFUSED, labels.name, found, "write one, or each is a class of its own")
    rare = [text for text, rows in labels.counts.items() if rows < MINIMUM_CLASS_ROWS]
    if rare := [text for text in rare if text not in labels.footers]:
        has = "has" if len(rare) == 1 else "have"
        found = f"{quoted(rare)} {has} fewer than the {MINIMUM_CLASS_ROWS} rows that training asks of a class"
        yield Hint(Weight.REFUSED, labels.name, found, "add rows of it, or leave it out")


def _hint(labels: Labels, found: str, write: str = "") -> Hint:
    return Hint(Weight.TARGET, labels.name, found, write)
