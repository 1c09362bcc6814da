"""ministack with everything this project adds to it.

ministack is used as published (see `VERSION`). What it lacks is added from outside: a module for each
concern, with an `install` function that replaces single functions of ministack through `replace`.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from ministack import app

from local.cloud.background import HOST, CloudError
from local.cloud.principals import Clients, credentials_for
from local.cloud.processes import Children
from local.cloud.seam import Cloud

VERSION = "1.5.33"
"""The one version whose internals were read. Another may well work: `replace` says what changed."""


def replace(module: ModuleType | type, name: str, parameters: str, make: Callable[[Any], Any]) -> None:
    """Put `make(original)` in the place of `module.name`.

    `parameters` are the original's, by name and in order: raises CloudError when they are not the
    expected ones, because then nobody has read what is being replaced.
    """
    original = getattr(module, name, None)
    found = " ".join(inspect.signature(original).parameters) if callable(original) else "nothing"
    if found != parameters:
        installed = importlib.metadata.version("ministack")
        raise CloudError(
            f"ministack {installed}: {module.__name__}.{name} takes ({found}), expected ({parameters}). "
            f"This project was written for ministack {VERSION}: install that, or read what changed."
        )
    setattr(module, name, make(original))


def assemble(
    *,
    folder: Path,
    port: int,
    account: str,
    region: str,
    ca_bundle: Path,
    image_root: Path,
    children: Children,
) -> Cloud:
    """Add everything to ministack; what its services may use of it is the result."""
    endpoint_url = f"https://{HOST}:{port}"
    clients = Clients(endpoint_url, region, ca_bundle)
    return Cloud(
        folder=folder,
        port=port,
        endpoint_url=endpoint_url,
        account=account,
        region=region,
        ca_bundle=ca_bundle,
        image_root=image_root,
        children=children,
        credentials_for=credentials_for,
        client=clients.client,
        put_metric=lambda *a: None,
        put_event=lambda *a: None,
        log=lambda *a: None,
    )


def application() -> Any:
    """The ASGI application of the gateway."""
    return app.app
