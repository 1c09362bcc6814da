"""The parts of the holdout on which a model does worse: slices and sensitive groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract.documents.evaluation import Fairness, Slice
from training.report.blocks import Badge, Block, Heading, Table, Text
from training.report.facts import Facts
from training.report.page import number

SLICES_SHOWN = 12
_COLUMNS = ("slice", "#rows", "#value", "#low", "#high")


def slices(facts: Facts) -> Iterator[Block]:
    """Every slice that is large enough, worst first; the first few are shown, the rest folded."""
    slices = facts.evaluation["slices"]
    worst = facts.slices
    best = "higher" if slices["higher_is_better"] else "lower"
    large = f"{len(worst):,} slices with at least {slices['minimum_rows']} of {slices['sampled_rows']:,} rows"
    yield Text(
        f"{slices['metric']} ({best} is better) where a feature has one value or lies in one range, "
        f"worst first: {large}; "
        f"{slices['too_small']:,} smaller left out. Among many slices some look bad by chance: mind "
        "the interval."
    )
    if worst:
        yield Table(_COLUMNS, [_slice(one) for one in worst[:SLICES_SHOWN]])
    if rest := worst[SLICES_SHOWN:]:
        yield Table(_COLUMNS, [_slice(one) for one in rest], folded=f"{len(rest)} more slices")


def fairness(facts: Facts) -> Iterator[Block]:
    """Groups and disparities of each sensitive feature."""
    fairness = facts.evaluation["fairness"]
    if not fairness:
        yield Text(
            "model.toml names no sensitive features ([fairness] sensitive), so no groups were compared."
        )
        return
    gates = {gate["name"]: gate["passed"] for gate in facts.evaluation["gates"]}
    for feature, one in fairness.items():
        yield Heading(feature)
        yield from _groups(one)
        yield Table(
            ("disparity", "#value", "#low", "#high", "gate"),
            [
                (
                    name,
                    *(number(interval[part]) for part in ("value", "low", "high")),
                    _gate(gates, f"fairness.{feature}.{name}"),
                )
                for name, interval in one["disparities"].items()
            ],
        )


def _groups(one: Fairness) -> Iterator[Block]:
    names = list(one["groups"][0]["statistics"]) if one["groups"] else []
    yield Table(
        ("group", "#rows", *(f"#{name.replace('_', ' ')}" for name in names), ""),
        [
            (
                group["group"],
                f"{group['rows']:,}",
                *(number(group["statistics"][name]) for name in names),
                "" if group["counted"] else Badge("warn", "too few to compare"),
            )
            for group in one["groups"]
        ],
    )


def _gate(gates: Mapping[str, bool], name: str) -> Badge | str:
    if name not in gates:
        return ""
    return Badge("pass", "passed") if gates[name] else Badge("fail", "missed")


def _slice(one: Slice) -> tuple[str, ...]:
    numbers = (number(one["value"]), number(one["low"]), number(one["high"]))
    return (f"{one['feature']}: {one['slice']}", f"{one['rows']:,}", *numbers)
