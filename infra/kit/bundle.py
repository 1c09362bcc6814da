"""The code the Lambda functions share: one folder, so that imports are the same in tests and in AWS."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from contract.layout import CONTRACT_FILE, GATES_FILE
from contract.schema import Contract

PACKAGES = ("adapters", "contract", "lambdas", "releasing", "scoring/upload", "tabular/formats")
MODULES = ("metrics/confidence_sequences.py",)
"""Of packages that need more than Lambda has."""


def make_bundle(*, root: Path, contract: Contract, gates: Mapping[str, str], folder: Path) -> Path:
    """Write the functions' code, the model's contract and its gates into a folder; return the folder.

    Only source goes in, so equal code, contract and gates give an equal asset.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for part in (*PACKAGES, *MODULES):
        outer = [root / parent / "__init__.py" for parent in Path(part).parents if parent.name]
        inner = [root / part] if part in MODULES else (root / part).rglob("*.py")
        for source in sorted([*outer, *inner]):
            target = folder / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONTRACT_FILE).write_text(contract.to_json())
    (folder / GATES_FILE).write_text(json.dumps(gates, indent=2, sort_keys=True) + "\n")
    return folder
