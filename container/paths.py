"""The places of SageMaker's files in a container."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from contract.names.jobs import INPUTS, OUTPUTS, ROOT, Folder

CODE = Path(__file__).resolve().parent.parent
"""The folder that holds `contract/`, `training/` and `models/`: the image's, or the repository."""


@dataclass(frozen=True)
class Paths:
    """SageMaker's layout under one base folder."""

    base: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """`SAGEMAKER_BASE_DIR` names another base, to run a job in a folder."""
        return cls(Path(environ.get("SAGEMAKER_BASE_DIR", ROOT)))

    def processing_input(self, name: Folder) -> Path:
        return self.base / INPUTS / name

    def processing_output(self, name: Folder) -> Path:
        """Folder that SageMaker uploads when the job ends; made if it is not there."""
        return _made(self.base / OUTPUTS / name)

    @property
    def scratch(self) -> Path:
        """Folder on a processing job's volume for what it needs while it works; made if it is not there."""
        return _made(self.base / "processing" / "scratch")

    def channel(self, name: Folder) -> Path:
        """Folder of one input channel of a training job."""
        return self.base / "input" / "data" / name

    @property
    def config(self) -> Path:
        """Folder of what SageMaker tells a job about itself."""
        return self.base / "input" / "config"

    @property
    def model(self) -> Path:
        """The folder that a training job fills and a server reads; made if it is not there."""
        return _made(self.base / "model")

    @property
    def checkpoints(self) -> Path:
        """Folder that outlives an interruption of a training job; it is there only if that is asked for."""
        return self.base / "checkpoints"

    @property
    def training_failure(self) -> Path:
        """File whose beginning becomes a training job's FailureReason."""
        return _made(self.base / "output") / "failure"

    @property
    def processing_message(self) -> Path:
        """File whose beginning becomes a processing job's ExitMessage."""
        return _made(self.base / "output") / "message"


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
