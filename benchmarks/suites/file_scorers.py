"""What `files` compares. Each runs in a process of its own, which prints its cost."""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

Run = Callable[[Path, Path], None]
"""Scores a CSV file into another."""

BATCH_ROWS = 10_000
PART_BYTES = 2 * 1024 * 1024
TIMEOUT_SECONDS = 600.0


def millrace(folder: Path) -> Run:
    """The batch path's own code in one process: cut, parse, validate, score, write."""
    from adapters.ordered_map import ordered_map
    from contract.parts import PartCounts
    from scoring.batch.cutting import csv_parts
    from scoring.server.parts import PartScorer
    from scoring.server.predictor import Predictor
    from tabular.formats.streams import Peekable

    predictor = Predictor(folder / "artifact")
    scorer = PartScorer(predictor, "benchmark/1")

    def run(source: Path, result: Path) -> None:
        with source.open("rb") as rows, result.open("wb") as written:
            cuts = csv_parts(Peekable(rows), predictor, compressed=False, rows_bytes=PART_BYTES)
            answers = ordered_map(
                lambda cut: scorer.respond(cut.body),
                cuts,
                in_flight=(os.cpu_count() or 1) + 1,
                remaining_seconds=lambda: TIMEOUT_SECONDS,
            )
            for _, answer in answers:
                written.write(memoryview(answer)[: -PartCounts.size(answer)])

    return run


def pandas(folder: Path, *, written: bool = False) -> Run:
    """The whole file as a DataFrame through the pipeline; nothing is written unless asked for."""
    import joblib
    import pandas as pd

    pipeline = joblib.load(folder / "pickle" / "model.joblib")

    def run(source: Path, result: Path) -> None:
        frame = pd.read_csv(source)
        probability = pipeline.predict_proba(frame)[:, 1]
        if written:
            frame["prediction"] = probability >= 0.5
            frame["probability"] = probability
            frame.to_csv(result, index=False)

    return run


def pandas_written(folder: Path) -> Run:
    """The same, and the file with its predictions written."""
    return pandas(folder, written=True)


def limit(folder: Path) -> Run:
    """pyarrow's parser on all cores, then the model's session on all cores; nothing between or after."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    from contract.schema import Contract
    from tabular.category_encoder import detached
    from tabular.onnx_session import MatrixGraph

    contract = Contract.from_json((folder / "artifact" / "contract.json").read_bytes())
    model = detached((folder / "artifact" / "model.onnx").read_bytes()).model
    graph = MatrixGraph(model, threads=os.cpu_count() or 1)
    types = {f.name: pa.float64() for f in contract.numeric}
    types |= {f.name: pa.dictionary(pa.int32(), pa.string()) for f in contract.categorical}

    def run(source: Path, _result: Path) -> None:
        options = csv.ConvertOptions(column_types=types)
        rows = sum(len(batch) for batch in csv.open_csv(source, convert_options=options))
        matrix = np.random.default_rng(1).normal(0, 100, (BATCH_ROWS, len(contract.features)))
        batch = matrix.astype(np.float32)
        for begin in range(0, rows, BATCH_ROWS):
            graph.run(batch[: rows - begin])

    return run


SCORERS: dict[str, Callable[[Path], Run]] = {
    scorer.__name__: scorer for scorer in (millrace, pandas, pandas_written, limit)
}


def peak_mib() -> float:
    """The most memory that this process had at a time."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage, which on Linux also counts what the parent had when it started this process.
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    models, table, output = map(Path, paths)
    scorer = SCORERS[name](models)
    begin, cpu_begin = perf_counter(), process_time()
    scorer(table, output)
    seconds, cpu_seconds = perf_counter() - begin, process_time() - cpu_begin
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak_mib()}))
