"""Run a local cloud in the foreground: `python -m local --port 4566 --folder .millrace/cloud-4566`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.cloud.process import server
from local.cloud.process.background import DEFAULT_PORT, default_folder
from local.cloud.process.folder import CloudError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--folder", type=Path, help="everything it writes (default .millrace/cloud-PORT)")
    parser.add_argument(
        "--image-root", type=Path, default=Path.cwd(), help="the source tree that every image URI stands for"
    )
    arguments = parser.parse_args()
    folder = arguments.folder or default_folder(arguments.port)
    try:
        server.run(folder.resolve(), arguments.port, arguments.image_root.resolve())
    except CloudError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the emulator's threads would hold the interpreter up, and have nothing left to do
