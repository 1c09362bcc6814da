"""Evidence that something has changed, added up over windows, with a stated time between false alarms.

A p-value becomes an e-value, whose mean is at most 1 where nothing has changed: the mean over κ of
κ p^(κ − 1) (Vovk and Wang, 2021). The e-values of successive windows add up by Shiryaev and Roberts' rule

    R ← (R + 1) · e

and the alarm rings at R ≥ limit. R less the number of windows is a martingale, so that the expected number
of windows to a false alarm is that of R at the alarm, which is at least the limit (Shin, Ramdas, Rinaldo,
2024: e-detectors). By how much it overshoots is a property of the κ alone where p is uniform, as it is
here by the baseline's joint null: `limit` has it from a simulation, which a test repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

KAPPAS = (0.1, 0.3, 0.5, 0.7, 0.9)
LEAST_P = 1e-8
"""Of a null that was fitted to draws, what is less probable is as probable as this."""

_LIMITS = np.array([3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000], float)
_WINDOWS = np.array([8.47, 36.8, 128.4, 474.7, 1_501.0, 5_406.0, 18_000.0, 59_530.0, 179_300.0])
"""Mean number of windows to a false alarm at each of these limits (`benchmarks drift` prints it)."""


def e_values(p: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """E-values of p-values of any shape."""
    bounded = np.maximum(p, LEAST_P)
    each = [kappa * bounded ** (kappa - 1) for kappa in KAPPAS]
    return np.mean(each, axis=0, dtype=np.float64)  # type: ignore[no-any-return]


def limit(windows: float) -> float:
    """The limit at which so many windows pass between two false alarms, on average."""
    return float(np.exp(np.interp(np.log(max(windows, _WINDOWS[0])), np.log(_WINDOWS), np.log(_LIMITS))))


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The evidence of one stream of windows so far.

    `total` is R. `run` is the largest product of the e-values of the windows from `since` on, which is
    when the change began if there was one (Page, 1954): by it a change is dated, not decided.
    """

    total: float = 0.0
    run: float = 1.0
    since: str | None = None

    def add(self, e_value: float, window: str, periods: float = 1.0) -> Evidence:
        """The evidence after one more window of this name, which stands for so many periods of the schedule.

        A window of several periods makes R grow by their number where nothing has changed, so that the
        time between false alarms is as stated, in periods, however many windows they are put into.
        """
        begun = self.run <= 1.0
        return replace(
            self,
            total=(self.total + periods) * e_value,
            run=max(1.0, self.run) * e_value,
            since=window if begun else self.since,
        )

    def to_json(self) -> dict[str, Any]:
        return {"total": self.total, "run": self.run, "since": self.since}
