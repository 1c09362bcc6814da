"""The results of `evaluate`, as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.markup import escape
from rich.table import Table


def evaluation_text(evaluation: Mapping[str, Any]) -> Group:
    """Each metric with its 95% interval and its gate's verdict, then a line for each other gate."""
    others = [gate for gate in evaluation["gates"] if gate["name"] not in evaluation["metrics"]]
    lines = (f"    {_gate_line(gate, _interval_of(evaluation, gate))}" for gate in others)
    return Group(_metrics_table(evaluation), *lines)


def _metrics_table(evaluation: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim", show_edge=False)
    table.add_column("  metric")
    for heading in ("value", "low", "high"):
        table.add_column(heading, justify="right")
    table.add_column("gate")
    gates = {gate["name"]: gate for gate in evaluation["gates"]}
    for name, metric in evaluation["metrics"].items():
        numbers = (_number(metric[part], "") for part in ("value", "low", "high"))
        table.add_row(f"  {name}", *numbers, _verdict(gates[name]) if name in gates else "")
    return table


def _interval_of(evaluation: Mapping[str, Any], gate: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a gate's value, with its interval where there is one; of the champion, the difference."""
    place, _, rest = gate["name"].partition(".")
    interval: Mapping[str, Any] = {}
    if place == "champion":
        interval = (evaluation["champion"] or {"metrics": {}})["metrics"].get(rest, {})
    elif place == "fairness":
        feature, _, disparity = rest.rpartition(".")
        interval = evaluation["fairness"][feature]["disparities"][disparity]
    return {"value": gate["value"], "low": interval.get("low"), "high": interval.get("high")}


def _verdict(gate: Mapping[str, Any]) -> str:
    mark = "[green]✓[/green]" if gate["passed"] else "[red]✗[/red]"
    return f"{mark} {gate['condition']}"


def _gate_line(gate: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """A gate with what was measured; what has no value says why."""
    if gate["value"] is None:
        return f"{gate['name']} {_verdict(gate)}: {escape(gate['says'].removeprefix(gate['name'] + ': '))}"
    return f"{gate['name']} {_interval(measured)} {_verdict(gate)}"


def gate_lines(evaluation: Mapping[str, Any]) -> list[str]:
    """A line for each gate with what was measured; without gates, for each metric."""
    gates = [_gate_line(gate, {"value": gate["value"], "low": None}) for gate in evaluation["gates"]]
    return gates or [f"{name} {_number(m['value'])}" for name, m in evaluation["metrics"].items()]


def comparison_table(evaluations: Mapping[str, Mapping[str, Any]]) -> Table:
    """Each metric of several evaluations, by the version's name, side by side with 95% intervals."""
    table = Table(box=None, padding=(0, 2), header_style="dim", show_edge=False)
    table.add_column("  metric")
    for name in evaluations:
        table.add_column(name, justify="right", overflow="fold")
    metrics = {name: None for evaluation in evaluations.values() for name in evaluation["metrics"]}
    for metric in metrics:
        values = (evaluation["metrics"].get(metric) for evaluation in evaluations.values())
        table.add_row(f"  {metric}", *(_interval(each) for each in values))
    return table


def _interval(metric: Mapping[str, Any] | None) -> str:
    if metric is None:
        return ""
    if metric["low"] is None:
        return _number(metric["value"])
    return f"{_number(metric['value'])} ({_number(metric['low'])} to {_number(metric['high'])})"


def _number(value: float | None, absent: str = "unknown") -> str:
    return absent if value is None else f"{value:.4g}"
