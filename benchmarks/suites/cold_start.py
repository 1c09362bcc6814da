"""What a function costs before its first request to AWS, beside boto3 and the same clients alone."""

from __future__ import annotations

import compileall
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import typer

from benchmarks import tables
from benchmarks.environment import ROOT
from benchmarks.report import console, judged, machine, ratio, table

TARGET = 1.15
UPLOAD = {
    "detail-type": "Object Created",
    "source": "aws.s3",
    "detail": {"bucket": {"name": "data"}, "object": {"key": "score/a.csv", "version-id": "1", "size": 9}},
}
RESULT = {
    **UPLOAD,
    "time": "2026-11-30T12:00:00Z",
    "detail": {"bucket": {"name": "results"}, "object": {"key": "scored/a.csv/1.csv", "version-id": "1"}},
}
EVENTS: Mapping[str, Any] = {
    "score_upload": {
        "Records": [
            {
                "messageId": "1",
                "receiptHandle": "1",
                "body": json.dumps(UPLOAD),
                "attributes": {"ApproximateReceiveCount": "1"},
            }
        ]
    },
    "start_training": {"again": False},
    "verify_package": {"model_package_arn": "arn:aws:sagemaker:::model-package/a/1", "execution": "e"},
    "collect_predictions": {
        "Records": [{"messageId": "1", "receiptHandle": "1", "body": json.dumps(RESULT), "attributes": {}}]
    },
    "reconcile_uploads": {},
    "stop_jobs": {"detail": {"executionArn": "arn:aws:states:us-east-1:000000000000:execution:a:b"}},
    "report_failure": {
        "detail": {"pipelineExecutionArn": "arn:aws:sagemaker:us-east-1:000000000000:pipeline/a/execution/b"}
    },
}
"""Of each function, an event on which it asks AWS for something."""


class Figures(NamedTuple):
    """Milliseconds of processor time until the first request, and the services of the clients made."""

    milliseconds: float
    services: list[str]


def cold_start(
    runs: Annotated[int, typer.Option(help="Fresh processes of each side, in turn.")] = 11,
) -> None:
    """Import and first call of each function, up to its first request, beside boto3 and its clients alone.

    Both sides run from compiled bytecode. Processor time is measured: a cold start waits for nothing else.
    """
    for folder in ("lambdas", "contract"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    made = table("Cold start", "function", "ms", "boto3 + clients, ms", "ratio", "clients")
    console.print(machine())
    with TemporaryDirectory(prefix="millrace-") as task_root:
        contract = tables.contract("logistic-regression").to_json()
        (Path(task_root) / "contract.json").write_text(contract)
        (Path(task_root) / "gates.json").write_text("{}")
        for name, event in EVENTS.items():
            function, alone = _measured(name, event, runs, task_root)
            times = ratio([f.milliseconds for f in function], [f.milliseconds for f in alone])
            made.add_row(
                name,
                f"{median(f.milliseconds for f in function):.0f}",
                f"{median(f.milliseconds for f in alone):.0f}",
                judged(f"{times:.2f}", times <= TARGET),
                ", ".join(function[0].services),
            )
    console.print(made)


def _measured(name: str, event: Any, runs: int, task_root: str) -> tuple[list[Figures], list[Figures]]:
    function, alone = [], []
    for _ in range(runs):
        function.append(_probe(task_root, "function", name, json.dumps(event)))
        alone.append(_probe(task_root, "alone", *function[0].services))
    return function, alone


def _probe(task_root: str, *arguments: str) -> Figures:
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LAMBDA_TASK_ROOT": task_root,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }
    command: Sequence[str] = [sys.executable, "-m", "benchmarks.suites.cold_start_probe", *arguments]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    return Figures(**json.loads(done.stdout.splitlines()[-1]))
