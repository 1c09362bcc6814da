"""Checks of what the features say: of the target, of the rows, and beside the live model's data."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc

from monitoring.baseline import Drift
from monitoring.baseline.statistics import chi_squared, population_stability
from training.evaluation.slices import parts
from training.validation import power
from training.validation.evidence import CHANCE, Column, Evidence, few_whole, whole
from training.validation.finding import Finding
from training.validation.signal_test import relation
from training.validation.univariate import Array, Coded, independence
from training.validation.unlearnable import listed, unlearnable

IDENTIFIER_ROWS = 20
"""With fewer rows, values that are all different prove nothing."""
COUNTER_SPAN = 2
"""A number that counts rows takes no more than so many times as many values as there are rows."""
_NAMED = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|index|key|nr|no|number)$|[a-z](?:Id|ID)$", re.IGNORECASE)
_MEASURE = {True: "an ROC AUC", False: "an R²"}


def leakage(evidence: Evidence) -> Iterator[Finding]:
    """ROC AUC, or R², of the target by one feature alone."""
    yield from _strengths(
        evidence,
        "leakage",
        "Take it out of [features], unless it is really known when a row is scored",
    )


def strong_feature(evidence: Evidence) -> Iterator[Finding]:
    """The same, of features that `leakage` has nothing to say of."""
    rule = evidence.contract.validation["leakage"]
    for finding in _strengths(
        evidence,
        "strong_feature",
        "Make sure that it is known when a row is scored, and was not written after the outcome",
    ):
        if rule.level == "off" or rule.limit is None or finding.value <= rule.limit:
            yield finding


def _strengths(evidence: Evidence, check: str, do: str) -> Iterator[Finding]:
    name, measure = evidence.contract.target.name, _MEASURE[bool(evidence.classes)]
    for feature, column in evidence.columns.items():
        if not np.isnan(column.strength):
            message = f"It alone predicts {name} with {measure} of {column.strength:.4f}"
            yield Finding(check=check, value=column.strength, column=feature, message=message, do=do)


def signal(evidence: Evidence) -> Iterator[Finding]:
    """How probable it is that chance alone relates features and target as much as they are."""
    found = relation(evidence)
    certain, blind = power.tells(evidence), unlearnable(evidence)
    message, do = _LABELS
    if not certain:
        message, do = _TOO_FEW
    elif blind:
        message, do = _BLIND
    measure = "an ROC AUC" if evidence.classes else "a rank correlation"
    facts = {"rows": len(evidence.target), "measure": measure, "visible": power.visible(evidence)}
    yield Finding(
        check="signal",
        value=found,
        column=evidence.contract.target.name,
        message=_NO_RELATION.format(p=found) + message.format(**facts, blind=listed(blind)),
        do=do,
        certain=certain,
    )


_NO_RELATION = "No feature, and no quick model of all, says more about it than chance would (p = {p:.2g}): "
_LABELS = (
    "the labels may be shuffled or joined to the wrong rows",
    "Compare some labels with their source, or add features that have to do with them",
)
_BLIND = (
    "a model can learn little from {blind}",
    "Mend these features first; if they are as they should be, compare some labels with their source",
)
_TOO_FEW = (
    "{rows:,} rows are too few to tell, for only {measure} of {visible:.2f} or more would show",
    "Add rows, and until then judge a model by the intervals of its metrics",
)


def constant(evidence: Evidence) -> Iterator[Finding]:
    """Features with one value in all rows. One that is always missing is for `missing` to tell."""
    for name, values in evidence.collected.values.items():
        (value, *others) = values
        known = value not in (None, "")
        yield Finding(
            check="constant",
            value=float(known and not others),
            column=name,
            message=f"Every row has the same value, {value!r}",
            do="Take it out of [features]: nothing can be learned from it",
        )


def identifiers(evidence: Evidence) -> Iterator[Finding]:
    """The share of known values that occur once, of what may be an identifier."""
    for name, column in evidence.columns.items():
        own = column.distinct / max(column.known, 1)
        if column.known >= IDENTIFIER_ROWS and _may_identify(column, evidence.collected.sound):
            yield Finding(
                check="identifiers",
                value=own,
                column=name,
                message=f"{own:.0%} of its values are different from all others, as an identifier's are",
                do="Take it out of [features], and name it in [row_id]",
            )


def _may_identify(column: Column, rows: int) -> bool:
    if column.feature.type == "category":
        return True
    if column.feature.type != "number" or not whole(column.values):
        return False
    span = np.nanmax(column.values) - np.nanmin(column.values) + 1
    return bool(span <= COUNTER_SPAN * rows) or bool(_NAMED.search(column.feature.name))


def codes(evidence: Evidence) -> Iterator[Finding]:
    """How much more a number with few whole values says value by value than as an amount."""
    for name, column in evidence.columns.items():
        if few_whole(column) and not np.isnan(column.alone - column.ordered):
            yield Finding(
                check="codes",
                value=max(0.0, column.alone - column.ordered),
                column=name,
                message=(
                    f"Its {column.distinct} values seem to be codes: value by value they say more about "
                    f"{evidence.contract.target.name} ({column.alone:.2f}) than in their order "
                    f"({column.ordered:.2f})"
                ),
                do='Set its type = "category" in [features], if its order means nothing',
            )


def drift(evidence: Evidence) -> Iterator[Finding]:
    """PSI of each feature against the live model's data, where it is more than chance explains."""
    against = evidence.live.model_version if evidence.live else ""
    for name, found in evidence.drift.items():
        before, now = found.missing
        if name in evidence.datetimes:
            value, what = _missing_drift(evidence, name, found), "It is missing otherwise"
        else:
            change = found.statistics["psi"]
            value = change if not found.thresholds or found.drifted else 0.0
            what = "It is distributed otherwise"
        yield Finding(
            check="drift",
            value=value,
            column=name,
            message=(
                f"{what} than in the data of {against} (PSI {value:.2f}); "
                f"missing {before:.1%} before, {now:.1%} now"
            ),
            do="Find out whether the world changed or only how it is measured, before a model learns it",
        )


def _missing_drift(evidence: Evidence, name: str, found: Drift) -> float:
    """PSI of whether a datetime is known. That its values are later ones is what time does, and no drift."""
    assert evidence.live is not None
    assert evidence.live.baseline is not None
    sizes = evidence.live.baseline.columns[name].rows, found.rows
    counts = [
        np.array([rows * share, rows * (1 - share)]) for rows, share in zip(sizes, found.missing, strict=True)
    ]
    chance = chdtrc(1, float(chi_squared(*counts)))
    return float(population_stability(*counts)) if chance < CHANCE else 0.0


def bias(evidence: Evidence) -> Iterator[Finding]:
    """How far apart groups are in their share of a class, or in standard deviations of the target."""
    features = {feature.name: feature for feature in evidence.contract.features}
    for name in evidence.contract.sensitive:
        groups = [
            (part.label, part.places)
            for part in parts(features[name], evidence.columns[name].values)
            if len(part.places) >= evidence.contract.evaluation.minimum_rows
        ]
        if len(groups) > 1:
            yield _apart(evidence, name, dict(groups))


def _apart(evidence: Evidence, name: str, groups: dict[str, Array]) -> Finding:
    target, classes = evidence.target, evidence.classes
    in_groups = {label: target[places] for label, places in groups.items()}
    if not classes:
        from scipy.stats import kruskal

        shares = {"": {label: float(found.mean() / target.std()) for label, found in in_groups.items()}}
        # Of groups that all hold one value the test has no answer; other rows than these may differ.
        same = np.ptp(np.concatenate(list(in_groups.values()))) == 0
        by_chance = 1.0 if same else float(kruskal(*in_groups.values()).pvalue)
    else:
        looked_at = range(1, 2) if len(classes) == 2 else range(len(classes))
        shares = {
            classes[k]: {label: float((found == k).mean()) for label, found in in_groups.items()}
            for k in looked_at
        }
        by_chance = _independence(in_groups, len(classes))
    apart = {label: max(found.values()) - min(found.values()) for label, found in shares.items()}
    worst = max(apart, key=apart.__getitem__)
    low, high = (f(shares[worst], key=shares[worst].__getitem__) for f in (min, max))
    return Finding(
        check="bias",
        value=apart[worst] if by_chance < CHANCE else 0.0,
        column=name,
        message=_told(evidence, worst, (high, shares[worst][high]), (low, shares[worst][low])),
        do=(
            "Make sure that the labels are fair before a model learns them, "
            f"and set a gate on fairness.{name}"
        ),
    )


def _told(evidence: Evidence, label: str, most: tuple[str, float], least: tuple[str, float]) -> str:
    name = evidence.contract.target.name
    if not evidence.classes:
        apart = most[1] - least[1]
        return (
            f"{name} is on average {apart:.2f} standard deviations higher of {most[0]!r} than of {least[0]!r}"
        )
    return f"{name} is {label!r} in {most[1]:.1%} of {most[0]!r} and in {least[1]:.1%} of {least[0]!r}"


def _independence(groups: dict[str, Array], classes: int) -> float:
    marks = np.repeat(np.arange(len(groups)), [len(found) for found in groups.values()])
    labels = np.concatenate(list(groups.values())).astype(np.int64)
    return independence(Coded(marks, len(groups)), Coded(labels, classes))
