"""What `evaluate` found out about a model, as people read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from rich.table import Table

from cli.aws import Aws


def read_evaluation(aws: Aws, job: str) -> dict[str, Any]:
    """The evaluation.json that a processing job `evaluate` wrote: in whose run, only the job knows."""
    return read_document(aws, f"{output_uri(aws, job, 'evaluation')}/evaluation.json")


def output_uri(aws: Aws, job: str, output: str) -> str:
    """Where in S3 a processing job writes one of its outputs."""
    described = aws.sagemaker.describe_processing_job(ProcessingJobName=job)
    outputs = {
        output["OutputName"]: output["S3Output"]["S3Uri"]
        for output in described["ProcessingOutputConfig"]["Outputs"]
    }
    return outputs[output].rstrip("/")


def read_document(aws: Aws, uri: str) -> dict[str, Any]:
    """A JSON document in S3.

    Raises:
        botocore ClientError: as S3 refuses.
    """
    place = urlsplit(uri)
    body = aws.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document


def metrics_table(evaluation: Mapping[str, Any]) -> Table:
    """Each metric with its 95% interval and its gate's verdict."""
    table = Table(box=None, padding=(0, 2), header_style="dim", show_edge=False)
    table.add_column("  metric")
    for heading in ("value", "low", "high"):
        table.add_column(heading, justify="right")
    table.add_column("gate")
    gates = {gate["gate"].split(" ", 1)[0]: gate for gate in evaluation["gates"]}
    for name, metric in evaluation["metrics"].items():
        numbers = (
            f"{metric[part]:.4g}" if metric[part] is not None else "" for part in ("value", "low", "high")
        )
        table.add_row(f"  {name}", *numbers, _verdict(gates.get(name)))
    return table


def _verdict(gate: Mapping[str, Any] | None) -> str:
    if gate is None:
        return ""
    mark = "[green]✓[/green]" if gate["passed"] else "[red]✗[/red]"
    return f"{mark} {gate['gate'].split(' ', 1)[1]}"


def gate_lines(evaluation: Mapping[str, Any]) -> list[str]:
    """A line for each gate with what was measured; without gates, for each metric."""
    gates = [
        f"{gate['gate'].split(' ', 1)[0]} {_number(gate['value'])} {_verdict(gate)}"
        for gate in evaluation["gates"]
    ]
    return gates or [f"{name} {_number(m['value'])}" for name, m in evaluation["metrics"].items()]


def comparison_table(evaluations: Mapping[str, Mapping[str, Any]]) -> Table:
    """Each metric of several evaluations, by the version's name, side by side with 95% intervals."""
    table = Table(box=None, padding=(0, 2), header_style="dim", show_edge=False)
    table.add_column("  metric")
    for name in evaluations:
        table.add_column(name, justify="right")
    metrics = {name: None for evaluation in evaluations.values() for name in evaluation["metrics"]}
    for metric in metrics:
        found = (evaluation["metrics"].get(metric) for evaluation in evaluations.values())
        table.add_row(f"  {metric}", *(_interval(each) for each in found))
    return table


def _interval(metric: Mapping[str, Any] | None) -> str:
    if metric is None:
        return ""
    return f"{_number(metric['value'])} ({_number(metric['low'])} to {_number(metric['high'])})"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"
