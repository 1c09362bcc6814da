"""Models of parts of a small table's rows, each asked about the rows that it did not see.

What a model hangs on, and how it bears worse inputs, is not to be seen on rows that it knows. So the
models of the first repeat of `training.model.out_of_fold` are fitted again, and exported, since the graphs
answer a hundred times as fast as what they were exported from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from contract.schema import Contract
from metrics import problem_metrics
from metrics.formulas import Array
from metrics.problem_metrics import Rows
from tabular.category_encoder import coded, detached
from tabular.onnx_session import MatrixGraph
from tabular.samples import Samples
from training.model.fit import fit
from training.model.onnx_export import to_onnx
from training.model.out_of_fold import Plan


class Part(NamedTuple):
    """One model, and the rows [n] that it is asked about.

    `classes` are the places, among those of all rows, of the ones that it knows; 0 of a regression.
    """

    held: Array
    vocabularies: Sequence[Mapping[str, float]]
    graph: MatrixGraph
    classes: Array


@dataclass(frozen=True, eq=False)
class FoldModels:
    """All parts as one model, of the very rows [n] of `samples`; asked of others, it does not know whom."""

    contract: Contract
    samples: Samples
    classes: tuple[str, ...]
    threshold: float
    parts: Sequence[Part]

    @classmethod
    def fit(cls, table: Samples, contract: Contract, plan: Plan, threshold: float) -> Self:
        """Fit and export the models of a plan's first repeat."""
        classes = table.classes(contract)
        parts = []
        for fitted, held in plan.repeats[0]:
            model = fit(table.where(fitted), contract)
            vocabularies, graph = detached(to_onnx(model, contract))
            known = np.array([classes.index(name) for name in model.classes] or [0], int)
            parts.append(Part(held[plan.evaluated], vocabularies, MatrixGraph(graph), known))
        return cls(contract, table.where(plan.evaluated), classes, threshold, parts)

    def where(self, chosen: Array) -> FoldModels:
        """The same of some of the rows."""
        parts = [part._replace(held=part.held[chosen]) for part in self.parts]
        return replace(self, samples=self.samples.where(chosen), parts=parts)

    def matrix(self, samples: Samples) -> Array:
        """Where each value [n, features] is taken from: in every column the number of the row."""
        features = len(self.contract.features)
        return np.repeat(np.arange(len(samples))[:, np.newaxis], features, axis=1)

    def rows_of(self, matrix: Array, truth: Array, texts: Array) -> Rows:
        """What is predicted of the rows where values are those of others, as a `matrix` says."""
        columns = np.arange(matrix.shape[1])
        taken = matrix.astype(int)
        return self._asked(self.samples, truth, texts, lambda whole: whole[taken, columns])

    def rows(self, samples: Samples) -> Rows:
        """What is predicted of the rows as they are in `samples` [n]."""
        return self._asked(samples, samples.coded_target(self.classes), samples.texts, lambda whole: whole)

    def _asked(self, samples: Samples, truth: Array, texts: Array, change: Callable[[Array], Array]) -> Rows:
        found = np.zeros((len(truth), max(1, len(self.classes))))
        for held, vocabularies, graph, classes in self.parts:
            matrix = np.ascontiguousarray(change(coded(samples, vocabularies))[held])
            output = graph.run(matrix, texts).reshape(len(matrix), -1)
            found[np.ix_(np.flatnonzero(held), classes)] = output
        problem = self.contract.problem
        whole = found if self.classes else found[:, 0]
        return Rows(problem, truth, problem_metrics.of_problem(problem, whole), self.threshold)
