"""How often the alarm for drift rings where nothing has changed, and how soon where something has.

The very code of the monitor's job, on years of windows of seven kinds of columns: the rate beside the
stated one, for several correlations and sizes of the training data and of windows. Each model has a baseline
of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from scipy import stats

from benchmarks.report import console, judged, machine, table
from metrics.evidence import Evidence
from monitoring.baseline import Baseline
from monitoring.baseline.build import reference
from monitoring.baseline.joint_null import simulate
from monitoring.baseline.null_distribution import WINDOWS
from monitoring.baseline.resampling import windows as drawn_windows
from monitoring.detector import MINUTES_A_YEAR, Detection, Settings, Verdict, judge
from monitoring.windows import Window

LOW, HIGH = 0.7, 1.3
"""Of the stated rate: what is asked for."""
BETWEEN_ALARMS = 100
"""Windows: rare enough for evidence to add up, often enough to be counted."""
SHIFTS = (0.25, 0.5, 1.0)
"""Standard deviations of one column, in windows of 300 rows."""

Columns = Mapping[str, NDArray[Any]]
_ZIPF = 1 / np.arange(1, 400) ** 1.2
_NAMES = np.array([f"z{n}" for n in range(len(_ZIPF))], object)
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Models trained on so many `rows`, asked `window` rows at a time, of columns that go together so far."""

    rows: int
    window: int
    correlation: float

    def __str__(self) -> str:
        return f"{self.rows:,} trained, {self.window:,} a window, correlation {self.correlation:g}"


CASES = (
    Case(rows=5_000, window=300, correlation=0.0),
    Case(rows=5_000, window=300, correlation=0.8),
    Case(rows=500, window=300, correlation=0.3),
    Case(rows=5_000, window=5_000, correlation=0.3),
)


def drift(
    models: Annotated[int, typer.Option(help="Each with a baseline of its own.")] = 40,
    windows: Annotated[int, typer.Option(help="Of each model.")] = 500,
) -> None:
    """False alarms beside the stated rate, and windows until a change is found, by the monitor's own code."""
    console.print(f"{models} models of {windows} windows a case. {machine()}")
    rates = table("False alarms", "models", "alarms", "stated", "ratio", "95% interval")
    for case in CASES:
        alarms = sum(alarms_of(case, windows, seed) for seed in range(models))
        stated = models * windows / BETWEEN_ALARMS
        low, high = (stats.chi2.ppf(p, 2 * (alarms + k)) / 2 / stated for p, k in ((0.025, 0), (0.975, 1)))
        low = 0.0 if math.isnan(low) else low
        met = high >= LOW and low <= HIGH
        ratio = judged(f"{alarms / stated:.2f}", met)
        rates.add_row(str(case), f"{alarms}", f"{stated:.0f}", ratio, f"{low:.2f} to {high:.2f}")
    console.print(rates)
    delays = table("A change of one column of seven", "standard deviations", "median windows to the alarm")
    for shift in SHIFTS:
        found = [delay_of(CASES[0], shift, seed) for seed in range(max(3, models // 4))]
        delays.add_row(f"{shift:g}", f"{np.median(found):.0f}")
    console.print(delays)


def settings() -> Settings:
    """Settings with one alarm in `BETWEEN_ALARMS` hourly windows."""
    return Settings(false_alarms_per_year=MINUTES_A_YEAR / 60 / BETWEEN_ALARMS)


def alarms_of(case: Case, windows: int, seed: int) -> int:
    """How often it rings in so many windows of one model, each time from the beginning."""
    random = np.random.default_rng(seed)
    baseline = trained(case, random)
    known, alarms = Detection(), 0
    for window in drawn(case, baseline, windows, random):
        known, _ = judge(baseline, [window], known, settings())
        if known.verdict is Verdict.DRIFTED:
            alarms += 1
            known = replace(known, verdict=Verdict.OK, evidence=Evidence(), columns={}, since=None, named=())
    return alarms


def delay_of(case: Case, shift: float, seed: int, most: int = 200) -> int:
    """Windows until a shift of one column is found, so many at most."""
    random = np.random.default_rng(seed)
    baseline = trained(case, random)
    known = Detection()
    for number, window in enumerate(drawn(case, baseline, most, random, shift), start=1):
        known, _ = judge(baseline, [window], known, Settings())
        if known.verdict is Verdict.DRIFTED:
            return number
    return most


def trained(case: Case, random: np.random.Generator) -> Baseline:
    """The baseline of a model of this case."""
    rows = columns(case, case.rows, random)
    draws = drawn_windows(WINDOWS, case.rows, random)
    references = {name: reference(column, column[:0], draws) for name, column in rows.items()}
    return Baseline(references, {}, simulate(references, rows, random))


def drawn(
    case: Case, baseline: Baseline, count: int, random: np.random.Generator, shift: float = 0.0
) -> Iterator[Window]:
    """Windows of rows as those trained on, but that one column is shifted."""
    for hour in range(count):
        rows = dict(columns(case, case.window, random))
        rows["normal"] = rows["normal"] + np.float32(shift)
        window = Window(version="model/1", start=_START + timedelta(hours=hour))
        yield window.with_rows(str(hour), case.window, 0, baseline.count(rows))


def columns(case: Case, count: int, random: np.random.Generator) -> Columns:
    """Seven kinds of columns that go together by what is common to them."""
    common = random.standard_normal((count, 1)) * math.sqrt(case.correlation)
    z = common + random.standard_normal((count, 8)) * math.sqrt(1 - case.correlation)
    u = stats.norm.cdf(z)
    return {
        "normal": z[:, 0].astype(np.float32),
        "heavy tail": np.exp(2 * z[:, 1]).astype(np.float32),
        "counts": stats.poisson.ppf(u[:, 2], 3).astype(np.float32),
        "often missing": np.where(u[:, 3] < 0.4, np.nan, z[:, 4]).astype(np.float32),
        "two values": np.where(u[:, 5] < 0.3, "a", "b").astype(object),
        "many rare values": _NAMES[np.searchsorted(np.cumsum(_ZIPF) / _ZIPF.sum(), u[:, 6]).clip(0, 398)],
        "uniform": u[:, 7].astype(np.float32),
    }
