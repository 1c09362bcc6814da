"""The model that was live when the run started: what start_training pinned for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from container.errors import PlatformError
from contract.artifact import ARCHIVE
from contract.layout import CHAMPION_FILE
from contract.names.live import Live


@dataclass(frozen=True, kw_only=True)
class Champion:
    """A live model: its version, such as `millrace-prod-income/3`, and its sealed artifact."""

    model_version: str
    archive: Path


def read_champion(folder: Path) -> Champion | None:
    """The champion in an input folder; None if nothing was live.

    Raises:
        PlatformError: it says a model was live, and does not hold it.
    """
    try:
        version = json.loads((folder / CHAMPION_FILE).read_text(encoding="utf-8"))[Live.MODEL_VERSION]
    except (OSError, ValueError, KeyError) as error:
        raise PlatformError(
            f"{folder / CHAMPION_FILE} does not say which model is live: {error!r}"
        ) from error
    if version is None:
        return None
    if not (folder / ARCHIVE).is_file():
        raise PlatformError(f"{version} is live and its artifact is not in {folder}")
    return Champion(model_version=version, archive=folder / ARCHIVE)
