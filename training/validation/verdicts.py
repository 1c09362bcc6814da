"""Each check of `contract.checks`, made of a dataset and judged by its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from contract.checks import CHECKS, Check, Rule
from contract.documents.validation import Outcome
from training.validation import feature_checks, row_checks
from training.validation.evidence import Evidence
from training.validation.finding import Finding

MEASURES: Mapping[str, Callable[[Evidence], Iterator[Finding]]] = {
    **{
        measure.__name__: measure
        for measure in (
            row_checks.schema,
            row_checks.values,
            row_checks.target,
            row_checks.unlabelled,
            row_checks.rows,
            row_checks.class_rows,
            row_checks.balance,
            row_checks.conflicts,
            row_checks.duplicates,
            row_checks.missing,
            row_checks.time_order,
            row_checks.future,
            row_checks.random_holdout,
            feature_checks.leakage,
            feature_checks.strong_feature,
            feature_checks.signal,
            feature_checks.constant,
            feature_checks.identifiers,
            feature_checks.codes,
            feature_checks.drift,
            feature_checks.bias,
        )
    }
}
"""What each check measures: a finding for each thing it looks at, whether or not its value is a bad one."""

MOST = 0.5
"""Of the rows: if fewer keep the contract, what they say is not said of the dataset."""
_ALWAYS = ("schema", "values", "unlabelled")
_OF_LABELS = ("class_rows", "balance", "leakage", "strong_feature", "signal", "conflicts", "codes", "bias")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One check: what came of it, its worst value and where, and what it found.

    `value` is None where nothing was measured; `why` says why a check was not made.
    """

    check: Check
    rule: Rule
    outcome: Outcome
    value: float | None = None
    column: str = ""
    why: str = ""
    findings: tuple[Finding, ...] = ()


def judge(evidence: Evidence) -> list[Verdict]:
    """Every check, in the order of a report. Those that need a sound target are not made of another."""
    verdicts: list[Verdict] = []
    for check in CHECKS:
        stopped = {verdict.check.name for verdict in verdicts if verdict.outcome == "stopped"}
        verdicts.append(_verdict(check, evidence, stopped))
    return verdicts


def _verdict(check: Check, evidence: Evidence, stopped: set[str]) -> Verdict:
    rule = evidence.contract.validation[check.name]
    if rule.level == "off":
        return Verdict(check=check, rule=rule, outcome="off", why="model.toml turns it off")
    why = _why_not(check, evidence, stopped)
    if why:
        return Verdict(check=check, rule=rule, outcome="skipped", why=why)
    measured = list(MEASURES[check.name](evidence))
    findings = tuple(finding for finding in measured if not check.met(finding.value, rule))
    for finding in findings:
        finding.level = rule.level if finding.certain else "warn"
        finding.limit = rule.limit
    sign = -1 if check.bound == "minimum" else 1
    worst = max(measured, key=lambda finding: sign * finding.value, default=None)
    stops = any(finding.level == "stop" for finding in findings)
    outcome: Outcome = "passed" if not findings else "stopped" if stops else "warned"
    return Verdict(
        check=check,
        rule=rule,
        outcome=outcome,
        value=worst.value if worst else None,
        column=worst.column if worst else "",
        findings=findings,
    )


def _why_not(check: Check, evidence: Evidence, stopped: set[str]) -> str:
    contract = evidence.contract
    if check.name in _ALWAYS:
        return ""
    if check.classes_only and contract.problem == "regression":
        return "a regression has no classes"
    if not evidence.collected.sound:
        return "no row has a target and keeps the contract"
    found = evidence.collected
    if check.name != "rows" and found.sound < MOST * (found.rows - found.unlabelled):
        return "most rows break the contract"
    if check.name in _OF_LABELS and "target" in stopped:
        return "the target is not what the problem needs"
    if check.name in ("time_order", "future") and contract.time is None:
        return "model.toml names no [time]"
    if check.name == "random_holdout" and contract.time is not None:
        return "model.toml names a [time]"
    if check.name == "bias" and not contract.sensitive:
        return "model.toml names no sensitive features"
    if check.name == "drift":
        return _no_drift(evidence)
    return ""


def _no_drift(evidence: Evidence) -> str:
    if evidence.live is None:
        return "no version is live"
    if evidence.live.baseline is None:
        return f"{evidence.live.model_version} cannot be compared with: {evidence.live.not_comparable}"
    return ""
