"""Unpacking `model.tar.gz` without trusting it."""

from __future__ import annotations

import shutil
import tarfile
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

from contract.artifact import DIGESTS, OPTIONAL, SEALED, ArtifactError

NAMES = (*SEALED, *OPTIONAL, DIGESTS)
MAX_BYTES = 400 * 1024 * 1024
"""Of all files together: what fits into a Lambda's temporary storage of 512 MiB."""


def unpack(stream: BufferedIOBase, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Write the files of an artifact's archive to a folder, reading the archive once.

    Raises:
        ArtifactError: it is no gzipped tar, or holds anything but the files of an artifact.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            for member in _checked(archive, max_bytes):
                source = archive.extractfile(member)
                if source is None:
                    raise ArtifactError(f"{member.name!r} in the archive has no content")
                with (folder / Path(member.name).name).open("xb") as target:
                    shutil.copyfileobj(source, target)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ArtifactError(f"the archive cannot be read: {error}") from error
    except FileExistsError as error:
        raise ArtifactError(f"the archive holds {Path(error.filename).name!r} twice") from error


def _checked(archive: tarfile.TarFile, max_bytes: int) -> Iterator[tarfile.TarInfo]:
    total = 0
    for member in archive:
        name = member.name.removeprefix("./")
        if member.isdir() and name in (".", ""):
            continue
        if name not in NAMES or not member.isreg():
            raise ArtifactError(f"the archive holds {member.name!r}, which no artifact has")
        total += member.size
        if total > max_bytes:
            raise ArtifactError(f"the archive's files have more than {max_bytes:,} bytes")
        yield member
