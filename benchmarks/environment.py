"""Where the benchmarks keep things, and the environment of what they compare with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "benchmarks"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"
PEERS = FOLDER / "peers"
PEERS_PYTHON = PEERS / "bin" / "python"


def install_peers() -> None:
    """Make the peers' virtual environment from its lock, compiled; nothing where it is up to date."""
    ready = PEERS / "ready"
    if ready.exists() and ready.read_bytes() == REQUIREMENTS.read_bytes():
        return
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEERS)], check=True)
    sync = [uv, "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
    subprocess.run([*sync, "--python", str(PEERS_PYTHON), str(REQUIREMENTS)], check=True)
    ready.write_bytes(REQUIREMENTS.read_bytes())
