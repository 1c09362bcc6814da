"""From what the target column holds to the problem, its positive class and the first gates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cli.errors import CliError
from cli.new_model.profile import Profile
from cli.new_model.wording import bounds, listed, quote, quoted, share
from contract.checks import MINIMUM_CLASS_ROWS
from contract.schema import Problem

MAX_CODES = 20
"""A target of whole numbers with more different values is an amount, not a class."""
MAX_CLASSES = 100
AFFIRMATIVE = ("1", "yes", "y", "true", "t", "positive", "pos")


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


def target(profile: Profile, *, problem: Problem | None = None, positive: str | None = None) -> Target:
    """Infer the problem from the target column, or hold what was asked for against it.

    Raises:
        CliError: the column has no value or only one, it cannot be the problem asked for, or
            it lacks the positive value.
    """
    if len(profile.counts) < 2:
        found = f"only {quoted(profile.counts)}" if profile.counts else "no value"
        raise NothingToLearnError(f"the target {profile.name!r} holds {found}: there is nothing to predict.")
    chosen = problem or ("binary" if positive is not None else _problem(profile))
    if chosen != "binary" and positive is not None:
        raise CliError(f"a {chosen} problem has no positive value: leave out --positive or --problem.")
    return {"binary": _binary, "multiclass": _multiclass, "regression": _regression}[chosen](
        profile, positive
    )


def warnings(profile: Profile, drafted: Target) -> Iterator[str]:
    """What about the target would make training refuse the table."""
    if profile.empty:
        yield f"{profile.empty:,} rows have no {profile.name}: training refuses such rows, remove them."
    if drafted.problem != "regression":
        rare = [text for text, rows in profile.counts.items() if rows < MINIMUM_CLASS_ROWS]
        if rare:
            verb = "has" if len(rare) == 1 else "have"
            yield f"training needs {MINIMUM_CLASS_ROWS} rows of each class and {quoted(rare)} {verb} fewer."


def _problem(profile: Profile) -> Problem:
    if len(profile.counts) == 2:
        return "binary"
    if not profile.words.count:
        codes = profile.numbers.whole and len(profile.counts) <= MAX_CODES
        return "multiclass" if codes else "regression"
    if len(profile.counts) <= MAX_CLASSES:
        return "multiclass"
    raise CliError(
        f"the target {profile.name!r} holds {len(profile.counts):,} different values and some are no numbers "
        f"({quoted(profile.words.counts)}): mend those to predict a number, or choose a column of classes."
    )


def _binary(profile: Profile, positive: str | None) -> Target:
    counts = profile.counts
    if len(counts) > 2:
        raise CliError(
            f"the target {profile.name!r} holds {len(counts):,} different values ({quoted(counts)}) "
            "and a binary problem has two: use --problem multiclass."
        )
    if positive is not None and positive not in counts:
        raise CliError(f"no row has {profile.name} {quote(positive)}: --positive is one of {quoted(counts)}.")
    words = [text for text in counts if text.lower() in AFFIRMATIVE]
    guess = words[0] if len(words) == 1 else min(sorted(counts), key=counts.__getitem__)
    return Target(
        name=profile.name,
        problem="binary",
        note=listed(counts, profile.present),
        positive=positive or guess,
        guessed=positive is None,
        metric="roc_auc",
        condition=">= 0.7",
        gate_note="0.5 is guessing, 1 is perfect",
    )


def _multiclass(profile: Profile, _positive: str | None) -> Target:
    (common, rows), *_ = profile.counts.most_common(1)
    floor = rows / profile.counts.total()
    return Target(
        name=profile.name,
        problem="multiclass",
        note=listed(profile.counts, profile.counts.total(), many=profile.many),
        metric="accuracy",
        condition=f"> {floor:.2f}",
        gate_note=f"always answering {quote(common)} is right in {share(rows, profile.counts.total())}",
    )


def _regression(profile: Profile, _positive: str | None) -> Target:
    if profile.words.count:
        raise CliError(
            f"the target {profile.name!r} is not a number in every row ({quoted(profile.words.counts)}): "
            "mend those rows, or choose --problem multiclass."
        )
    return Target(
        name=profile.name,
        problem="regression",
        note=bounds(profile.numbers.low, profile.numbers.high, whole=profile.numbers.whole),
        metric="r2",
        condition=">= 0.2",
        gate_note="0 is answering the mean, 1 is perfect",
    )
