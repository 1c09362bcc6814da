"""The key of a cloud's root: made once for its folder, for the eyes of the folder's owner alone.

It outlives the cloud, so that a shell that was set up for one can talk to the next in the same folder.
"""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass, field
from pathlib import Path

KEY_NAME = "root-key.json"


@dataclass(frozen=True)
class RootKey:
    """An access key that may do everything."""

    access_key: str
    secret_key: str = field(repr=False)


def root_key(folder: Path) -> RootKey:
    """The key of a folder, made if there is none."""
    path = folder / KEY_NAME
    try:
        return RootKey(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        made = RootKey("AKIA" + _letters(16), secrets.token_urlsafe(30))
        write_private(path, json.dumps(asdict(made)))
        return made


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _letters(length: int) -> str:
    return "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(length))
