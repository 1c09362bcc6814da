"""What a model costs to serve, measured in a process of its own that does nothing else."""

from __future__ import annotations

import csv
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from container.errors import PlatformError
from container.paths import CODE
from contract import serving
from contract.documents.evaluation import Serving
from contract.schema import Contract
from scoring.server.predictor import Predictor
from tabular.samples import Samples
from tabular.values import moment

MANY_ROWS = 100
_REPEATS = {1: 300, MANY_ROWS: 100}
_TIMEOUT_SECONDS = 300


def measure(folder: Path, archive: Path, holdout: Samples, contract: Contract) -> Serving:
    """The size of an archive, and time and memory of the model server on the unpacked artifact.

    Raises:
        PlatformError: the model server does not run.
    """
    with TemporaryDirectory() as scratch:
        bodies = {rows: Path(scratch) / f"{rows}.csv" for rows in _REPEATS}
        for rows, path in bodies.items():
            path.write_text(request(holdout, contract, rows), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "training.evaluation.serving_cost",
            str(folder),
            *map(str, bodies.values()),
        ]
        done = subprocess.run(
            command, cwd=CODE, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS
        )
    if done.returncode:
        raise PlatformError(f"the model server does not answer: {done.stderr.strip()[-500:]}")
    return cast("Serving", {"artifact_bytes": archive.stat().st_size, **json.loads(done.stdout)})


def request(samples: Samples, contract: Contract, rows: int) -> str:
    """So many of the samples, as CSV; they repeat where there are fewer."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([f.name for f in contract.in_model_order])
    for i in range(rows):
        row = i % len(samples)
        numbers = zip(contract.numeric, samples.numbers[row].tolist(), strict=True)
        cells = [_text(feature.type == "datetime", value) for feature, value in numbers]
        writer.writerow([*cells, *samples.categories[row], *samples.texts[row]])
    return text.getvalue()


def _text(is_datetime: bool, value: float) -> str:
    if math.isnan(value):
        return ""
    return moment(value).isoformat() if is_datetime else repr(value)


def _measured(predictor: Predictor, bodies: Sequence[Path]) -> dict[str, float]:
    found: dict[str, float] = {}
    for path, (rows, repeats) in zip(bodies, _REPEATS.items(), strict=True):
        body = path.read_bytes()
        milliseconds = sorted(_milliseconds(predictor, body) for _ in range(repeats))
        prefix = "latency_" if rows == 1 else f"latency_{rows}_rows_"
        found[f"{prefix}p50_ms"] = milliseconds[len(milliseconds) // 2]
        found[f"{prefix}p99_ms"] = milliseconds[math.ceil(0.99 * len(milliseconds)) - 1]
    found["memory_mib"] = _most_memory() / 1024**2
    return found


def _most_memory() -> float:
    """The greatest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux's getrusage would tell that of the process which started this one, if it was greater.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _milliseconds(predictor: Predictor, body: bytes) -> float:
    begun = time.perf_counter()
    predictor.respond(serving.CSV, body)
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    folder, *paths = map(Path, sys.argv[1:])
    sys.stdout.write(json.dumps(_measured(Predictor(folder), paths)))
