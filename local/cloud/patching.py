"""The one way in which this project changes ministack: single functions, by name, after a look at them."""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from local.cloud.process.folder import CloudError

VERSION = "1.5.33"
"""The version of ministack whose internals were read."""


def replace(owner: ModuleType | type, name: str, parameters: str, make: Callable[[Any], Any]) -> None:
    """Put `make(original)` in the place of `owner.name`.

    `parameters` are the original's, by name and in order. Raises CloudError when they are not the
    expected ones: then nobody has read what is being replaced.
    """
    original = getattr(owner, name, None)
    found = " ".join(inspect.signature(original).parameters) if callable(original) else "no such function"
    if found != parameters:
        installed = importlib.metadata.version("ministack")
        raise CloudError(
            f"ministack {installed}: {owner.__name__}.{name} takes ({found}), expected ({parameters}). "
            f"This project is written for ministack {VERSION}: install that, or read what changed."
        )
    setattr(owner, name, make(original))
