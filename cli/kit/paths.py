"""The command line's places in the project's folder."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".millrace"
"""The state that commands keep between runs; git ignores it."""
TOOLS = (ROOT / ".venv" / "bin", ROOT / "node_modules" / ".bin")
"""Folders with the CDK CLI, Node and the AWS CLI."""


def cloud_folder(port: int) -> Path:
    """Folder of the local cloud on a port."""
    return STATE / f"cloud-{port}"


def tool_path() -> str:
    """PATH with the project's own tools in front."""
    front = [str(folder) for folder in TOOLS]
    rest = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder not in front]
    return os.pathsep.join([*front, *rest])


def display(path: Path) -> str:
    """A path as a person in the project's folder would type it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
