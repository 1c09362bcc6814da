"""The inputs that every job reads before its own work, and the check of the running code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from container.errors import PlatformError
from container.paths import CODE
from contract.code import code_digest
from contract.layout import CONTRACT_FILE, GATES_FILE
from contract.names.jobs import Variable
from contract.schema import Contract, ContractError


def read_contract(folder: Path) -> Contract:
    """The contract in an input folder.

    Raises:
        PlatformError: it is not there, or not a contract.
    """
    try:
        return Contract.from_json((folder / CONTRACT_FILE).read_bytes())
    except (OSError, ContractError) as error:
        raise PlatformError(f"the contract cannot be read from {folder / CONTRACT_FILE}: {error}") from error


def read_gates(folder: Path) -> dict[str, str]:
    """The gates in an input folder: conditions by what they are on.

    Raises:
        PlatformError: they are not there.
    """
    try:
        gates: dict[str, str] = json.loads((folder / GATES_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise PlatformError(f"the gates cannot be read from {folder / GATES_FILE}: {error}") from error
    return gates


def check_code(contract: Contract, environ: Mapping[str, str]) -> str:
    """The digest of the running code, held against the one the run was started for.

    Raises:
        PlatformError: the run was deployed with other code.
    """
    running = code_digest(CODE, contract.model)
    expected = environ.get(Variable.CODE_DIGEST, running)
    if running != expected:
        raise PlatformError(
            f"the code is {running[:12]} and the run was deployed with {expected[:12]}: "
            "the code changed since it was deployed. Run ./millrace deploy, then train again"
        )
    return running
