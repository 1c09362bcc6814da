"""The code digest: which code made a model and measured it, in one string.

What `model.toml` says of it is the contract, which has a digest of its own.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from contract.schema import MODEL_FILE

JOBS = tuple(f"training/jobs/{job}.py" for job in ("validate", "prepare", "train", "evaluate"))
BY_NAME = ("training/__main__.py", "tabular/parquet_decoder.py")
"""Modules that nobody imports, since they are run by their names."""
PAGES = ("training/report", "training/validation/report_page.py")
"""They put what was found on pages and find nothing themselves: jobs import them last."""
LOCK = "container/requirements.txt"
DOCKERFILE = "container/Dockerfile"
UNREAD = {"__pycache__", MODEL_FILE}


def code_digest(root: Path, model: str) -> str:
    """SHA-256 over what decides a model's bytes and its evidence, hexadecimal.

    The same tree gives the same digest on every machine.

    Raises:
        OSError: a file is not there.
    """
    digest = hashlib.sha256()
    for path in covered(root, model):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(_base_images(root / DOCKERFILE))
    return digest.hexdigest()


def covered(root: Path, model: str) -> list[Path]:
    """The files that are digested whole, sorted: what the jobs import, the lock, the model's own."""
    own = set(_own(root / "models" / model))
    begin = [root / name for name in (*JOBS, *BY_NAME)]
    begin += [path for path in own if path.suffix == ".py"]
    return sorted(own | _imported(root, begin) | {root / LOCK})


def _own(folder: Path) -> Iterator[Path]:
    """A model's files, but for what is in the contract and what is written for people."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        read = not UNREAD.intersection(parts) and not any(part.startswith(".") for part in parts)
        if path.is_file() and read and path.suffix not in (".md", ".pyc"):
            yield path


def _imported(root: Path, begin: list[Path]) -> set[Path]:
    """These modules and all that they import of this project, at whatever place, with their packages."""
    modules: set[Path] = set()
    pages = [root / name for name in PAGES]
    left = list(begin)
    while left:
        path = left.pop()
        if path in modules or any(path.is_relative_to(page) for page in pages):
            continue
        modules.add(path)
        packages = path.relative_to(root).parents
        left += [init for package in packages if (init := root / package / "__init__.py").is_file()]
        left += [module for name in _names(path.read_bytes()) if (module := _module(root, name))]
    return modules


def _module(root: Path, name: str) -> Path | None:
    place = root.joinpath(*name.split("."))
    candidates = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


@lru_cache(maxsize=1024)
def _names(source: bytes) -> tuple[str, ...]:
    """The full names of what a module imports, which may be modules or what is in them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _base_images(dockerfile: Path) -> bytes:
    """Return the image's `FROM` lines. The way the rest comes to it decides nothing that is measured."""
    lines = dockerfile.read_bytes().splitlines()
    return b"\n".join(line.strip() for line in lines if line.startswith(b"FROM "))
