"""The code digest: which training code made a model, in one string.

What `model.toml` says of it is the contract, which has a digest of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

SHARED = ("adapters", "container", "contract", "metrics", "monitoring", "scoring", "tabular", "training")
SUFFIXES = {".py", ".txt", ".html", ".css"}


def code_digest(root: Path, model: str) -> str:
    """SHA-256 over every file that decides what a model becomes, hexadecimal.

    That is all code of the image with its lock, and the model's own modules. The same tree
    gives the same digest on every machine.
    """
    digest = hashlib.sha256()
    for path in _files(root, model):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(root: Path, model: str) -> Iterator[Path]:
    for folder in (*(root / name for name in SHARED), root / "models" / model):
        yield from sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file())
