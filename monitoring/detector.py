"""The verdict on a model version's windows, one after the other, by what they add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Self
from zlib import crc32

import numpy as np

from metrics.evidence import Evidence, e_values, limit
from monitoring.baseline.document import Baseline
from monitoring.baseline.drift import FEWEST_ROWS
from monitoring.baseline.p_values import judged_rows, p_values, thinned
from monitoring.windows import Window, joined

MINUTES_A_YEAR = 365.25 * 24 * 60
_NAMED = 0.05
"""Share of the columns named after an alarm that are named wrongly, at most (Wang and Ramdas, 2022)."""


class Verdict(StrEnum):
    """The state of a model version."""

    OK = "ok"
    DRIFTED = "drifted"
    TOO_LITTLE_DATA = "too little data"
    NOT_CAPTURED = "not captured"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """`[monitoring]` of a model: how rare false alarms are, and what is too small a change to be one."""

    false_alarms_per_year: float = 1.0
    least_change: float = 0.0
    every_minutes: int = 60

    @property
    def limit(self) -> float:
        """The evidence at which the alarm rings."""
        windows = MINUTES_A_YEAR / self.every_minutes / self.false_alarms_per_year
        return limit(windows)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """The state of knowledge about one model version.

    `judged` is the last window that was; `evidence` of all columns together, and `columns` each on its own:
    by these columns are named once all of them together have rung.
    """

    verdict: Verdict = Verdict.TOO_LITTLE_DATA
    judged: str | None = None
    evidence: Evidence = field(default_factory=Evidence)
    columns: Mapping[str, Evidence] = field(default_factory=dict)
    since: str | None = None
    named: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            verdict=Verdict(document["verdict"]),
            judged=document["judged"],
            evidence=Evidence(**document["evidence"]),
            columns={name: Evidence(**of) for name, of in document["columns"].items()},
            since=document["since"],
            named=tuple(document["named"]),
        )


def judge(
    baseline: Baseline, windows: Iterable[Window], known: Detection, settings: Settings
) -> tuple[Detection, list[Window]]:
    """Judge a version's windows that follow what is known; give also those still too small to be judged.

    Small windows are put together until they hold `FEWEST_ROWS` rows. Judging the same windows again
    changes nothing: those up to `known.judged` are passed over.
    """
    pending: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start):
        if known.judged is not None and window.name <= known.judged:
            continue
        pending.append(window)
        together = joined(pending)
        if together.rows < FEWEST_ROWS or not together.counts:
            continue
        known = _add(baseline, together, replace(known, judged=window.name), settings)
        pending = []
    return known, pending


def _add(baseline: Baseline, window: Window, known: Detection, settings: Settings) -> Detection:
    e = column_e_values(baseline, window, settings.least_change)
    mean = sum(e.values()) / len(e)
    p = baseline.joint.p_value(mean, window.rows) if baseline.joint else min(1.0, 1 / mean)
    periods = max(1.0, window.minutes / settings.every_minutes)
    evidence = known.evidence.add(float(e_values(p)), window.name, periods)
    columns = {
        name: known.columns.get(name, Evidence()).add(value, window.name, periods)
        for name, value in e.items()
    }
    if evidence.total < settings.limit:
        # A change that was reported is over once the evidence for it has gone as it came.
        over = known.verdict is Verdict.DRIFTED and evidence.run <= 1.0
        verdict = Verdict.OK if over or known.verdict is not Verdict.DRIFTED else Verdict.DRIFTED
        kept = (None, ()) if verdict is Verdict.OK else (known.since, known.named)
        return replace(
            known, verdict=verdict, evidence=evidence, columns=columns, since=kept[0], named=kept[1]
        )
    return replace(
        known,
        verdict=Verdict.DRIFTED,
        # Held at the limit: what drifts for months must not take months to be believed to be over.
        evidence=replace(evidence, total=settings.limit, run=min(evidence.run, settings.limit)),
        columns=columns,
        since=known.since or evidence.since,
        named=known.named or named(columns),
    )


def column_e_values(baseline: Baseline, window: Window, least_change: float = 0.0) -> dict[str, float]:
    """The e-value of each column of a window that the baseline knows."""
    evidence = {}
    for name, reference in baseline.columns.items():
        if name not in window.counts:
            continue
        # The same rows are drawn when the same window is judged again.
        random = np.random.default_rng(crc32(f"{window.version}/{window.name}/{name}".encode()))
        counts = thinned(reference, window.counts[name], random)
        rows = judged_rows(reference, int(window.counts[name].sum()))
        p = p_values(reference, counts, max(rows, 1), least_change=least_change) if rows else np.float64(1)
        evidence[name] = float(e_values(p))
    return evidence


def named(columns: Mapping[str, Evidence]) -> tuple[str, ...]:
    """The columns that changed, most evidence first, of which at most `_NAMED` are named wrongly (e-BH).

    (Wang and Ramdas, 2022: the k largest of n e-values, for the largest k with k · e ≥ n / share.)
    """
    order = sorted(columns, key=lambda name: (-columns[name].run, name))
    enough = [
        place for place, name in enumerate(order, start=1) if place * columns[name].run >= len(order) / _NAMED
    ]
    # Together they rang: the first is the likeliest, even where no single one is sure.
    return tuple(order[: max(enough, default=1)])
