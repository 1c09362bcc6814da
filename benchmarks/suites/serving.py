"""One and a hundred rows over HTTP: Millrace's model server, its peers, and its limit."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated

import typer

from benchmarks import models, servers, tables
from benchmarks.environment import FOLDER, install_peers
from benchmarks.load import Load, drive
from benchmarks.models import Models
from benchmarks.report import console, judged, machine, ratio, table
from benchmarks.suites import requests
from tabular.onnx_session import Graph
from tabular.samples import Samples

MILLRACE, SAGEMAKER = "Millrace", "SageMaker scikit-learn"
CONSTANT, GENERATOR = "constant, same server", "constant, no server"
RUN = "session.run alone"
SESSION_RUNS = 200
ROWS, CONNECTIONS = (1, 100), (1, 8)
TARGETS = {1: 40, 100: 12}
"""How many times SageMaker's stack, by rows; of 100 rows for CSV."""
LIMIT_TARGET = 1.5

Start = Callable[[Models, Path], AbstractContextManager[int]]
Ask = Callable[[str, Samples], bytes]


@dataclass(frozen=True)
class Contender:
    """A server: how it starts, how it is asked, and whether it is a peer or ours."""

    name: str
    start: Start
    ask: Ask = requests.invocation
    formats: Sequence[str] = tuple(requests.FORMATS)
    peer: bool = False


CONTENDERS = (
    Contender(MILLRACE, servers.millrace),
    Contender(CONSTANT, lambda _, folder: servers.constant("asgi", folder)),
    Contender(GENERATOR, lambda _, folder: servers.constant("canned", folder)),
    Contender(SAGEMAKER, servers.sagemaker, peer=True),
    Contender("FastAPI", servers.fastapi, requests.fastapi, peer=True),
    Contender("MLServer", servers.mlserver, requests.open_inference, formats=("JSON",), peer=True),
)


@dataclass
class Figures:
    """Of each round: median and 99th percentile in microseconds, and requests a second."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    rate: list[float] = field(default_factory=list)

    def add(self, load: Load) -> None:
        """Another round's."""
        self.p50.append(1e6 * load.percentile(50))
        self.p99.append(1e6 * load.percentile(99))
        self.rate.append(load.rate)


@dataclass(frozen=True)
class Case:
    """What is asked: rows of a format. `single` is on one connection, `many` on eight."""

    rows: int
    format: str
    single: Mapping[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    many: Mapping[str, Figures] = field(default_factory=lambda: defaultdict(Figures))

    @property
    def samples(self) -> Samples:
        """The rows that are asked about."""
        return tables.draw(self.rows, seed=3)


def serving(
    rounds: Annotated[int, typer.Option(help="Alternations of all servers; figures are their medians.")] = 7,
    seconds: Annotated[float, typer.Option(help="How long each server is asked in a round.")] = 0.4,
    peers: Annotated[bool, typer.Option(help="Compare with other servers; installs them once.")] = True,
    estimator: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated.")] = None,
    rows: Annotated[list[int] | None, typer.Option(help="Only so many rows; may be repeated.")] = None,
    training_rows: Annotated[int, typer.Option(help="Rows to fit the models on.")] = models.TRAINING_ROWS,
) -> None:
    """Predictions over HTTP: median latency on one connection, requests a second on eight."""
    servers.stay_on(servers.CLIENT_CORE)
    if peers:
        install_peers()
    console.print(f"Servers on one core, the load generator on another. {machine()}")
    for name in estimator or tables.ESTIMATORS:
        fitted = models.fitted(name, FOLDER / f"models-{training_rows}", training_rows)
        contenders = [contender for contender in CONTENDERS if peers or not contender.peer]
        for case in measure(fitted, contenders, rows or ROWS, rounds, seconds):
            show(name, case)


def measure(
    fitted: Models, contenders: Sequence[Contender], rows: Sequence[int], rounds: int, seconds: float
) -> Sequence[Case]:
    """Ask all servers the same in turn, round by round; they all run all the time."""
    graph = Graph((fitted.artifact / "model.onnx").read_bytes())
    cases = [Case(count, name) for count, name in product(rows, requests.FORMATS)]
    with ExitStack() as running:
        ports = {}
        for contender in contenders:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="millrace-")))
            ports[contender] = running.enter_context(contender.start(fitted, folder))
        for case in cases:
            asked = {
                contender.name: partial(
                    drive, port, contender.ask(requests.FORMATS[case.format], case.samples)
                )
                for contender, port in ports.items()
                if case.format in contender.formats
            }
            for connections, figures in zip(CONNECTIONS, (case.single, case.many), strict=True):
                for _ in range(rounds):
                    figures[RUN].p50.append(_session_run(graph, case.samples))
                    for name, ask in asked.items():
                        figures[name].add(ask(connections, seconds))
    return cases


def show(estimator: str, case: Case) -> None:
    """A case's figures, each beside Millrace's of the same rounds."""
    rows = "1 row" if case.rows == 1 else f"{case.rows} rows"
    made = table(
        f"{estimator}, {rows} of {case.format}",
        *("server", "p50 µs", "p99 µs", "p50 / Millrace's", "requests/s on 8", "Millrace's / it"),
    )
    ours, ours_many = case.single[MILLRACE], case.many[MILLRACE]
    judge = case.rows == 1 or (case.rows in TARGETS and case.format == "CSV")
    for name, single in case.single.items():
        slower = ratio(single.p50, ours.p50)
        cells = [f"{median(single.p50):,.0f}", "", f"{slower:.2f}", "", ""]
        if name != RUN:
            many = case.many[name]
            faster = ratio(ours_many.rate, many.rate)
            cells[1], cells[3:] = f"{median(single.p99):,.0f}", [f"{median(many.rate):,.0f}", f"{faster:.2f}"]
            if name == SAGEMAKER and judge:
                target = TARGETS[case.rows]
                cells[2], cells[4] = (judged(f"{x:.1f}", x >= target) for x in (slower, faster))
        made.add_row(name, *cells)
    console.print(made)
    limit = [a + b for a, b in zip(case.single[CONSTANT].p50, case.single[RUN].p50, strict=True)]
    of_limit = ratio(ours.p50, limit)
    text = f"{of_limit:.2f}"
    shown = judged(text, of_limit <= LIMIT_TARGET) if case.rows == 1 else text
    console.print(f"Millrace's p50 is {shown} × (constant + session.run)\n")


def _session_run(graph: Graph, samples: Samples) -> float:
    """The median of some runs, in microseconds."""
    seconds = []
    for _ in range(SESSION_RUNS):
        begin = perf_counter()
        graph.run(samples.numbers, samples.categories)
        seconds.append(perf_counter() - begin)
    return 1e6 * median(seconds)
