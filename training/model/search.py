"""The records of a search's trials: written by each, read by training and by the report."""

from __future__ import annotations

import json
import math
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from container.errors import ModelCodeError, PlatformError
from container.paths import Paths
from contract.artifact import ARCHIVE
from contract.documents.evaluation import Search, Trial
from contract.gates import LOWER_IS_BETTER
from contract.schema import Contract

DOCUMENT = "trial.json"
CONFIG = "hyperparameters.json"


def hyperparameters(paths: Paths) -> dict[str, str]:
    """Read SageMaker's hyperparameters: those to try, and those that are the same for all trials.

    Raises:
        PlatformError: it gives nothing.
    """
    try:
        given: dict[str, str] = json.loads((paths.config / CONFIG).read_text(encoding="utf-8"))
        return given
    except (OSError, ValueError) as error:
        raise PlatformError(f"the trial was given no parameters: {error}") from error


def tried(hyperparameters: Mapping[str, str], contract: Contract) -> dict[str, Any]:
    """The parameters to try.

    Raises:
        ModelCodeError: they are not those that the contract's search asks for.
    """
    try:
        return contract.training.search.read(hyperparameters)
    except ValueError as error:
        raise ModelCodeError(f"the trial cannot be made: {error}") from error


def with_parameters(contract: Contract, parameters: Mapping[str, Any]) -> Contract:
    """A contract whose estimator gets these parameters beside those that are fixed."""
    training = contract.training
    return replace(contract, training=replace(training, parameters={**training.parameters, **parameters}))


def write(paths: Paths, trial: Mapping[str, Any]) -> None:
    """Leave a trial where SageMaker takes a training job's model from."""
    known = {**trial, "metrics": {name: _finite(value) for name, value in trial["metrics"].items()}}
    (paths.model / DOCUMENT).write_text(json.dumps(known, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def tuned(folder: Path) -> dict[str, Any]:
    """The parameters of the best trial, whose archive is in a folder; none where there was no search.

    Raises:
        PlatformError: what is there is no trial.
    """
    archive = folder / ARCHIVE
    return dict(_read(archive)["parameters"]) if archive.exists() else {}


def trials(folder: Path, contract: Contract, chosen: Mapping[str, Any]) -> Search | None:
    """The search whose trials lie in a folder, each under its name, in the order they began.

    `chosen` are the estimator's parameters that the model was trained with. None where there was
    no search. A trial that failed has left nothing and is not among them.

    Raises:
        PlatformError: what is there are no trials.
    """
    search = contract.training.search
    if not search:
        return None
    trials: list[Trial] = []
    for archive in sorted(folder.glob(f"*/output/{ARCHIVE}")):
        trial = _read(archive)
        best = not any(one["chosen"] for one in trials) and _within(trial["parameters"], chosen)
        trials.append(
            {
                "name": archive.parent.parent.name,
                "status": "completed" if trial["share"] == 1 else "stopped early",
                "metric": search.objective,
                "value": trial["metrics"][search.objective],
                "chosen": best,
                "parameters": trial["parameters"],
                "metrics": trial["metrics"],
                "rows": trial["rows"],
            }
        )
    if not trials:
        raise PlatformError(f"no trials of the search in {folder}")
    return {
        "objective": search.objective,
        "lower_is_better": search.objective in LOWER_IS_BETTER,
        "strategy": search.strategy,
        "max_jobs": search.max_jobs,
        "trials": trials,
    }


def _within(parameters: Mapping[str, Any], chosen: Mapping[str, Any]) -> bool:
    return all(chosen.get(name) == value for name, value in parameters.items())


def _read(archive: Path) -> dict[str, Any]:
    try:
        with tarfile.open(archive) as packed:
            member = packed.extractfile(next(m for m in packed if Path(m.name).name == DOCUMENT))
            assert member is not None
            document: dict[str, Any] = json.load(member)
            return document
    except (OSError, tarfile.TarError, StopIteration, ValueError) as error:
        raise PlatformError(f"{archive} holds no trial: {error!r}") from error


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
