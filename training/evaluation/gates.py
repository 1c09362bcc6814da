"""Gates: what each is held against, whether it is met, and the sentence that says so."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from contract.documents.evaluation import Champion, Evaluation, Verdict
from contract.gates import SERVING, ChampionGate, Gate, parse

Values = Mapping[str, float | None]


def judge(gates: Mapping[str, str], values: Values, champion: Champion | None) -> Iterator[Verdict]:
    """A verdict for each gate, in their order. `values` are by the names of `contract.gates.names`."""
    for name, condition in gates.items():
        gate = parse(name, condition)
        if isinstance(gate, ChampionGate):
            yield _against_champion(gate, champion)
        else:
            yield _limited(gate, values[name])


def _limited(gate: Gate, value: float | None) -> Verdict:
    known = value is not None and not math.isnan(value)
    shown = f"{value:.4g}" if known else "not defined on the holdout"
    says = f"{gate.metric} is {shown} and must be {gate.condition}"
    return _verdict(gate, value, passed=known and gate.passes(value or 0.0), says=says)


def _against_champion(gate: ChampionGate, champion: Champion | None) -> Verdict:
    if champion is None:
        return _verdict(
            gate, None, passed=True, says=f"{gate.metric}: there is no live model to compare with"
        )
    live = champion["model_version"]
    if champion["not_comparable"]:
        says = (
            f"{gate.metric}: the live model {live} cannot be compared with: {champion['not_comparable']}. "
            "Take the gate out of model.toml for one run to replace it all the same"
        )
        return _verdict(gate, None, passed=False, says=says)
    found = champion["metrics"][gate.measured]
    theirs, low, high = found["champion"], found["low"], found["high"]
    if theirs is None or low is None or high is None:
        says = f"{gate.metric}: {gate.measured} is not defined on the holdout, so nothing can be compared"
        return _verdict(gate, None, passed=False, says=says)
    margin = gate.allowed(theirs)
    must = f"{gate.claim} by {'more than ' if gate.claim == 'not worse' else ''}{margin:.3g}"
    says = (
        f"{gate.metric}: {gate.measured} is {found['challenger']:.4g} and with the live model {live} "
        f"{theirs:.4g} on the same rows, a difference between {low:+.3g} and {high:+.3g} with 95 % "
        f"confidence; it must be {must if margin else gate.claim}"
    )
    return _verdict(gate, found["difference"], passed=gate.passes(theirs, low, high), says=says)


def _verdict(gate: Gate | ChampionGate, value: float | None, *, passed: bool, says: str) -> Verdict:
    return {
        "gate": str(gate),
        "name": gate.metric,
        "condition": gate.condition,
        "value": value,
        "passed": passed,
        "says": says,
    }


def named(found: Evaluation) -> dict[str, float | None]:
    """What gates may name of an evaluation, but for the champion."""
    worst = found["slices"]["worst_first"]
    costs: Mapping[str, Any] = {**found["serving"]}
    return {
        **{name: metric["value"] for name, metric in found["metrics"].items()},
        "slices.worst": worst[0]["value"] if worst else None,
        **{
            f"fairness.{feature}.{name}": disparity["value"]
            for feature, assessed in found["fairness"].items()
            for name, disparity in assessed["disparities"].items()
        },
        **{f"robustness.{probe['change']}": probe["difference"] for probe in found["robustness"]},
        **{f"serving.{name}": costs[name] for name in SERVING},
        "parity.largest_difference": found["parity"]["largest_difference"],
        **{
            f"importance.{one['feature']}": one["permutation_mean"] for one in found["importance"]["features"]
        },
    }
