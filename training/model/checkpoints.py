"""Checkpoints of an interrupted training job, where SageMaker keeps them for the job's next start.

A fit cannot be resumed: none of the estimators can be, without loading a pickle. What is kept is the
outcome of fits that ended: predictions, as plain arrays.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from metrics.formulas import Array

log = logging.getLogger(__name__)


class Checkpoints:
    """Arrays by name in a folder. SageMaker makes the folder only for jobs that have checkpoints."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def array(self, name: str, make: Callable[[], Array]) -> Array:
        """The array kept under a name, which says everything that it depends on; made if there is none."""
        if self._folder is None or not self._folder.is_dir():
            return make()
        file = self._folder / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.npy"
        try:
            kept: Array = np.load(file, allow_pickle=False)
        except FileNotFoundError:
            made = make()
            unfinished = file.with_suffix(".part")
            with unfinished.open("wb") as target:
                np.save(target, made, allow_pickle=False)
            unfinished.replace(file)  # whole, or not there
            return made
        log.info("resumed from a checkpoint: %s", name)
        return kept
