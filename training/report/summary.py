"""The first questions about a new model: made of what, does it pass, is it better, where is it worst."""

from __future__ import annotations

from collections.abc import Iterator

from contract.documents.evaluation import Interval, Verdict
from contract.gates import CHAMPION, LOWER_IS_BETTER
from training.report.blocks import Badge, Block, Cell, Pairs, Table, Text
from training.report.facts import Facts
from training.report.page import number


def glance(facts: Facts) -> Iterator[Block]:
    """The verdict, an answer to each of these, and every gate."""
    yield Text(facts.verdict)
    yield Pairs(
        [
            ("Trained", _trained(facts)),
            ("Measured", _measured(facts)),
            ("Beside the live model", _comparison(facts)),
            ("Worst slice", _worst(facts)),
            *_warned(facts),
        ]
    )
    if gates := facts.evaluation["gates"]:
        yield Table(("gate", "#measured", "verdict", ""), [_gate(gate) for gate in gates])


def between(interval: Interval) -> str:
    """A value, and in brackets its interval, where it has one."""
    if interval["low"] is None:
        return number(interval["value"])
    return f"{number(interval['value'])} ({number(interval['low'])} to {number(interval['high'])})"


def _trained(facts: Facts) -> str:
    rows, features = facts.model["rows"]["train"], len(facts.contract.features)
    trials = f", the best of {len(facts.trials)} trials" if facts.trials else ""
    return (
        f"{facts.contract.training.estimator} on {rows:,} rows of {features} features "
        f"(dataset {facts.dataset[:12]}){trials}"
    )


def _measured(facts: Facts) -> str:
    evaluation, name = facts.evaluation, facts.evaluation["slices"]["metric"]
    better = "lower" if name in LOWER_IS_BETTER else "higher"
    return f"{name} {between(evaluation['metrics'][name])}, {better} is better, on {facts.tested}"


def _comparison(facts: Facts) -> Cell:
    champion, name = facts.evaluation["champion"], facts.evaluation["slices"]["metric"]
    if champion is None:
        return "no version was live when this run began"
    if champion["not_comparable"]:
        return f"not to be compared with {champion['model_version']}: {champion['not_comparable']}"
    metric = champion["metrics"].get(name)
    if metric is None or metric["low"] is None or metric["high"] is None:
        return f"{name} of {champion['model_version']} is not defined on these rows"
    if metric["low"] <= 0 <= metric["high"]:
        sentence = "no difference that these rows can tell"
    else:
        sentence = "worse" if (metric["low"] > 0) == (name in LOWER_IS_BETTER) else "better"
    change = " to ".join(_signed(metric[end]) for end in ("low", "high"))
    both = f"{number(metric['challenger'])} against {number(metric['champion'])}"
    return f"{sentence}: {name} {both} of {champion['model_version']}, which is {change}"


def _signed(value: float | None) -> str:
    return ("+" if value is not None and value > 0 else "") + number(value)


def _worst(facts: Facts) -> str:
    slices = facts.evaluation["slices"]
    worst = next((one for one in facts.slices if one["value"] is not None), None)
    if worst is None:
        return f"none has the {slices['minimum_rows']} rows that it takes to judge one"
    return (
        f"{worst['feature']}: {worst['slice']}, {slices['metric']} {between(worst)} in {worst['rows']:,} rows"
    )


def _warned(facts: Facts) -> Iterator[tuple[str, str]]:
    problems = facts.validation["problems"] if facts.validation else []
    if problems:
        checks = ", ".join(dict.fromkeys(str(problem["check"]) for problem in problems))
        yield "The data", f"{len(problems)} warning{'' if len(problems) == 1 else 's'}: {checks}"


def _gate(gate: Verdict) -> tuple[Cell, ...]:
    passed = gate["passed"]
    sentence = "" if passed and gate["value"] is not None else gate["says"].removeprefix(f"{gate['name']}: ")
    return (
        f"{gate['name']} {gate['condition']}",
        _signed(gate["value"]) if gate["name"].startswith(CHAMPION) else number(gate["value"]),
        Badge("pass", "passed") if passed else Badge("fail", "missed"),
        sentence,
    )
