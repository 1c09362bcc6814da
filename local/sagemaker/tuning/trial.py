"""One training job of a tuning job, and what its log said of the objective."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.sagemaker.state import Record
from local.sagemaker.tuning.stopping import Measured, falls_behind

if TYPE_CHECKING:
    from optuna.trial import Trial as Suggestion


@dataclass(eq=False)
class Trial:
    """A trial while it runs. `before` are the trials that had ended when it began, in order.

    It is compared with no others, so that it is stopped, or not, however fast its neighbours run.
    """

    name: str
    suggestion: Suggestion
    parameters: dict[str, str]
    objective: str
    minimize: bool
    before: Sequence[Measured]
    early_stopping: bool
    stop: Callable[[], None]
    values: list[float] = field(default_factory=list)
    stopped_early: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def measured(self, metric: str, value: float) -> None:
        """The job's log has told a metric."""
        if metric != self.objective:
            return
        with self._lock:
            if self.stopped_early:
                return  # what it says while it is being stopped would depend on how fast it is
            self.values.append(value)
            self.stopped_early = self.early_stopping and falls_behind(
                self.values, self.before, minimize=self.minimize
            )
        if self.stopped_early:
            self.stop()

    def result(self, record: Record) -> float | None:
        """The objective, once the job's record is final; None if it failed, or never told it."""
        if record["TrainingJobStatus"] == "Failed" or not self.values:
            return None
        return self.values[-1] if math.isfinite(self.values[-1]) else None
