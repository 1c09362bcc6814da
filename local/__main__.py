"""Run a local cloud in the foreground: `python -m local --port 4566 --folder .millrace/cloud-4566`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from local.assembly import server
from local.cloud.process.background import DEFAULT_PORT, default_folder
from local.cloud.process.folder import CloudError
from local.cloud.strictness import Strictness


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--folder", type=Path, help="everything it writes (default .millrace/cloud-PORT)")
    parser.add_argument(
        "--image-root", type=Path, default=Path.cwd(), help="the source tree that image URIs stand for"
    )
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="URI=TREE",
        help="the source tree that one image URI stands for; may be repeated",
    )
    parser.add_argument(
        "--strict", type=int, metavar="SEED", help="throttle, delay and have quotas, by draws of this seed"
    )
    arguments = parser.parse_args()
    folder = arguments.folder or default_folder(arguments.port)
    try:
        images = {uri: Path(tree).resolve() for uri, _, tree in (i.rpartition("=") for i in arguments.image)}
        strictness = None if arguments.strict is None else Strictness(arguments.strict)
        server.run(
            folder.resolve(), arguments.port, arguments.image_root.resolve(), images, strictness=strictness
        )
    except CloudError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # the emulator's threads would hold the interpreter up, and have nothing left to do
