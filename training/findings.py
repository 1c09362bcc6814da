"""What `validate` finds in a dataset: counts of everything, and each problem once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from contract.reasons import Unscorable
from contract.schema import Contract
from training.checks import Problem, Totals, judge
from training.rows import Block, Fault
from training.samples import digests
from training.table import Chunk, target_values
from training.values import MISSING, shown


@dataclass
class Findings:
    """Collects file by file and chunk by chunk. Keeps counts and digests, never the values."""

    contract: Contract
    totals: Totals = field(default_factory=Totals)
    _problems: dict[tuple[str, ...], Problem] = field(default_factory=dict)

    @property
    def problems(self) -> list[Problem]:
        """Each problem once, in the order they were met."""
        return list(self._problems.values())

    def add(self, file: str, chunk: Chunk) -> None:
        """Count one chunk's rows, values and faults."""
        totals = self.totals
        totals.rows += len(chunk.places)
        totals.files[file] += len(chunk.places) + len(chunk.ragged)
        totals.missing.update(_missing(self.contract, chunk.features))
        totals.digests.update(digests(chunk.features))
        target = target_values(self.contract, chunk.target).tolist()
        if self.contract.problem == "regression":
            known = [value for value in target if not np.isnan(value)]
            totals.target_range = _wider(totals.target_range, known)
        else:
            totals.classes.update(value for value in target if value != MISSING)
        for fault in (*chunk.features.faults, *chunk.target.faults):
            self._add_fault(file, chunk.places[fault.row], fault)
        for fault in chunk.ragged:
            self._add_fault(file, fault.row, fault)

    def add_unreadable(self, file: str, reason: Unscorable) -> None:
        """Record that a file could not be read, or not to its end."""
        self.totals.files[file] += 0
        self._problems[reason.code, reason.column or "", file] = Problem(
            check=reason.code,
            message=reason.message.removesuffix("."),
            file=file,
            line=reason.line,
            column=reason.column or "",
        )

    def close(self) -> None:
        """Judge what only the whole dataset can show. Nothing is added afterwards."""
        for problem in judge(self.contract, self.totals):
            self._problems[problem.check, problem.column] = problem

    def document(self) -> dict[str, Any]:
        """The report: everything counted, and the problems with their sentences."""
        totals = self.totals
        return {
            "passed": not self._problems,
            "rows": totals.rows,
            "duplicate_rows": totals.duplicates,
            "files": dict(totals.files),
            "missing": {name: totals.missing[name] for name in self.contract.feature_names},
            "classes": dict(sorted(totals.classes.items())),
            "problems": [{**asdict(p), "sentence": p.sentence} for p in self.problems],
        }

    def _add_fault(self, file: str, line: int, fault: Fault) -> None:
        key = (fault.code, fault.column)
        if key in self._problems:
            self._problems[key].count += 1
            return
        self._problems[key] = Problem(
            check=fault.code,
            message=fault.message,
            file=file,
            line=line,
            column=fault.column,
            example=shown(fault.text),
        )


def _missing(contract: Contract, block: Block) -> dict[str, int]:
    numbers = np.isnan(block.numbers).sum(axis=0).tolist()
    categories = (block.categories == MISSING).sum(axis=0).tolist()
    names = [feature.name for feature in (*contract.numeric, *contract.categorical)]
    return dict(zip(names, [*numbers, *categories], strict=True))


def _wider(limits: tuple[float, float], values: list[float]) -> tuple[float, float]:
    return min([limits[0], *values]), max([limits[1], *values])
