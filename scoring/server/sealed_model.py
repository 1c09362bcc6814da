"""A sealed artifact, unpacked, that predicts."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from container.errors import PlatformError
from contract import artifact
from contract.schema import Contract
from metrics import problem_metrics as metrics
from metrics.formulas import Array
from metrics.problem_metrics import Rows
from tabular.category_encoder import coded, detached
from tabular.onnx_session import MatrixGraph
from tabular.rows import NO_TEXTS
from tabular.samples import Samples


def unpack(archive: Path, folder: Path) -> dict[str, str]:
    """Unpack an artifact to a folder and check it against its seal; its files' digests.

    Raises:
        PlatformError: it cannot be read, or is not as it was sealed.
    """
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        return artifact.verify(folder)
    except (OSError, tarfile.TarError, artifact.ArtifactError) as error:
        raise PlatformError(f"{archive.name} is no sealed artifact: {error}") from error


class SealedModel:
    """The graph without its encoder, as the model server runs it, with the artifact's own threshold."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            ContractError: the artifact's contract is of another format.
        """
        self.folder = folder
        self.contract = Contract.from_json((folder / artifact.CONTRACT).read_bytes())
        self.facts: dict[str, Any] = json.loads((folder / artifact.FACTS).read_bytes())
        self.classes: tuple[str, ...] = tuple(self.facts["classes"])
        self.threshold = artifact.threshold(self.facts)
        self.vocabularies, model = detached((folder / artifact.MODEL).read_bytes())
        self._graph = MatrixGraph(model)

    def matrix(self, samples: Samples) -> Array:
        """Return samples as the graph takes them besides their texts: float32 [n, features], a column each.

        They are numbers, codes, and where in the samples a row's texts are.
        """
        return coded(samples, self.vocabularies)

    def predict(self, matrix: Array, texts: Array = NO_TEXTS) -> Array:
        """Return predictions as `metrics.problem_metrics` takes them: float64 [n], or [n, classes]."""
        output = self._graph.run(matrix, texts).astype(np.float64)
        return metrics.of_problem(self.contract.problem, output)

    def rows(self, samples: Samples) -> Rows:
        """Return the predictions of samples, and the truth."""
        return self.rows_of(self.matrix(samples), samples.coded_target(self.classes), samples.texts)

    def rows_of(self, matrix: Array, truth: Array, texts: Array = NO_TEXTS) -> Rows:
        """Return the same of a matrix, with the coded truth [n]."""
        return Rows(self.contract.problem, truth, self.predict(matrix, texts), self.threshold)
