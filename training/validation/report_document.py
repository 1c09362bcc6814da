"""report.json: what validation looked at, and what it found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from contract.documents.validation import CheckMade, FeatureLooked, Problem, Validation
from training.validation.evidence import Evidence
from training.validation.finding import Finding
from training.validation.verdicts import Verdict


def document(evidence: Evidence, verdicts: Sequence[Verdict], dataset_version: str) -> Validation:
    """The whole report."""
    found, contract = evidence.collected, evidence.contract
    again, torn = evidence.repeats
    return {
        "dataset_version": dataset_version,
        "passed": not any(verdict.outcome == "stopped" for verdict in verdicts),
        "rows": found.rows,
        "unlabelled_rows": found.unlabelled,
        "sound_rows": found.sound,
        "sampled_rows": len(evidence.sample) if found.sound else 0,
        "duplicate_rows": again.rows,
        "conflicting_rows": torn.rows,
        "files": dict(found.files),
        "missing": {name: found.missing[name] for name in contract.feature_names},
        "classes": dict(sorted(found.classes.items())),
        "compared_with": evidence.live.model_version if evidence.live else None,
        "problems": [_problem(f) for f in by_weight(f for v in verdicts for f in v.findings)],
        "checks": [_check(verdict) for verdict in verdicts],
        "features": _features(evidence),
        "not_compared": evidence.live.changed(contract) if evidence.live and evidence.live.baseline else {},
    }


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """What stops the run before what is only warned of."""
    return sorted(findings, key=lambda finding: finding.level != "stop")


def _problem(finding: Finding) -> Problem:
    told: Problem = {**asdict(finding), "sentence": finding.sentence}  # type: ignore[typeddict-item]
    return told


def _check(verdict: Verdict) -> CheckMade:
    return {
        "check": verdict.check.name,
        "asks": verdict.check.asks,
        "level": verdict.rule.level,
        "bound": verdict.check.bound,
        "limit": verdict.rule.limit,
        "outcome": verdict.outcome,
        "value": verdict.value,
        "column": verdict.column,
        "why": verdict.why,
        "found": len(verdict.findings),
    }


def _features(evidence: Evidence) -> list[FeatureLooked]:
    found = evidence.collected
    if not found.sound:
        return []
    return [
        {
            "feature": name,
            "type": column.feature.type,
            "missing": found.missing[name] / found.sound,
            "distinct": column.distinct,
            "alone": None if math.isnan(column.strength) else column.strength,
            "psi": evidence.drift[name].statistics["psi"]
            if name in evidence.drift.keys() - evidence.datetimes
            else None,
        }
        for name, column in evidence.columns.items()
    ]
