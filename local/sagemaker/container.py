"""A container as a process: what the image's entry point sees of its surroundings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from contract.names.jobs import Variable
from local.cloud.seam import Cloud

ROOT = PurePosixPath("/opt/ml")
"""Where SageMaker mounts a container's files; here a folder, named by SAGEMAKER_BASE_DIR."""


def command(arguments: Sequence[str]) -> list[str]:
    """The image's entry point with its arguments. An image stands for a source tree: see `tree`."""
    return [sys.executable, "-m", "training", *arguments]


def tree(cloud: Cloud, image: str) -> Path:
    """The source tree that an image stands for."""
    return cloud.images.get(image, cloud.image_root)


def local_path(base: Path, path: str) -> Path:
    """The file or folder that stands for a path in the container.

    Raises:
        ValueError: it is not under /opt/ml.
    """
    return base / PurePosixPath(path).relative_to(ROOT)


def environment(
    cloud: Cloud,
    image: str,
    base: Path,
    variables: Mapping[str, str],
    credentials: Mapping[str, str] | None,
) -> dict[str, str]:
    """The whole environment of a container's process; nothing of the cloud's own leaks into it.

    Without credentials it is isolated, as SageMaker does it: it does not learn of AWS at all.
    """
    temporary = base.parent / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    isolated = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LANG": "C.UTF-8",
        "HOME": str(base.parent),
        "TMPDIR": str(temporary),
        # As the image is built with it: no job looks for the machine's fonts again.
        "MPLCONFIGDIR": str(cloud.folder / "cache" / "matplotlib"),
        "PYTHONPATH": str(tree(cloud, image)),
        "PYTHONUNBUFFERED": "1",
        "SAGEMAKER_BASE_DIR": str(base),
        # A container's port is nobody's but its host's; a process's would be every neighbour's.
        Variable.BIND_HOST: "127.0.0.1",
        **variables,
    }
    if credentials is None:
        return isolated
    return {
        **isolated,
        "AWS_ENDPOINT_URL": cloud.endpoint_url,
        "AWS_CA_BUNDLE": str(cloud.ca_bundle),
        "AWS_EC2_METADATA_DISABLED": "true",
        **credentials,
    }
