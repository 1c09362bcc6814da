"""Parquet decoded in a process of its own, whose end is not the server's.

A file of a few bytes can decode to more than a machine holds, and there are altered ones on
which the reader does not raise but aborts. So a child process with little memory decodes a file
(`tabular.parquet_decoder`), and passes it on as Arrow's own stream. What kills the child is no Parquet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa

from contract.reasons import FileReason, Unscorable
from tabular.parquet_decoder import REFUSED, not_parquet

_CHILD_SECONDS = 30


def decode_apart(body: bytes, features: Sequence[str], out: IO[bytes]) -> None:
    """`tabular.parquet_decoder.decode` in a process that may fail, run out of memory or take too long.

    Raises:
        Unscorable: as `decode`, or it did.
    """
    command, environment = _command("request", features)
    try:
        child = subprocess.run(
            command,
            input=body,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            timeout=_CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"The file is not decoded within {_CHILD_SECONDS} seconds."
        raise Unscorable(code=FileReason.DECOMPRESSION_BOMB, message=message) from None
    _check_ended(child.returncode, child.stderr)


def decode_file(path: Path, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The columns of these names of a file of any size, decoded in such a process batch by batch.

    Raises:
        Unscorable: here or as the batches are asked for, where it is no table with these columns.
    """
    return _decoded("columns", path, names)


def decode_table(path: Path, features: Sequence[str]) -> Generator[pa.RecordBatch]:
    """All columns of a file of any size, one batch at least. Their schema says how it is compressed.

    Raises:
        Unscorable: as `decode`, here or as the batches are asked for, but for the size.
    """
    return _decoded("table", path, features)


def _decoded(how: str, path: Path, names: Sequence[str]) -> Generator[pa.RecordBatch]:
    command, environment = _command(how, names, path)
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=environment) as child,
    ):
        assert child.stdout is not None
        broken = None
        try:
            with pa.ipc.open_stream(child.stdout) as batches:
                yield from batches
        except (pa.ArrowException, OSError) as error:
            broken = error
        except BaseException:
            child.kill()
            raise
        code = child.wait()
        errors.seek(0)
        _check_ended(code, errors.read())
        if broken is not None:
            raise not_parquet(str(broken)) from broken


def _command(how: str, names: Sequence[str], path: Path | None = None) -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return [sys.executable, "-m", "tabular.parquet_decoder", how, str(path), *names], environment


def _check_ended(code: int, errors: bytes) -> None:
    if code == REFUSED:
        told = json.loads(errors)
        raise Unscorable(**{**told, "code": FileReason(told["code"])})
    if code:
        raise not_parquet("its reader fails on it.")
