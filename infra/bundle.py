"""The code the Lambda functions share: one folder, so that imports are the same in tests and in AWS."""

from __future__ import annotations

import shutil
from pathlib import Path

from contract.schema import Contract

PACKAGES = ("contract", "lambdas")


def make_bundle(*, root: Path, contract: Contract, folder: Path) -> Path:
    """Write the functions' code and the model's `contract.json` into a folder; return the folder.

    Only source goes in, so equal code and contract give an equal asset.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for package in PACKAGES:
        for source in sorted((root / package).rglob("*.py")):
            target = folder / source.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.json").write_text(contract.to_json())
    return folder
