"""A checkout of this project with a cloud of its own, driven as a person drives it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import boto3

import local
from benchmarks.environment import ROOT
from benchmarks.servers import free_port
from cli.kit import samples
from contract import layout

MODEL = "tumor"
NOT_COPIED = (".git", ".venv", "node_modules", "build", "cdk.out", ".*cache", ".millrace")
INSTALLED = (".venv", "node_modules")
POLL_SECONDS = 0.05

T = TypeVar("T")


@dataclass(frozen=True)
class Laptop:
    """A running cloud with the model deployed. `outputs` are the stacks'."""

    root: Path
    port: int
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A boto3 client of the account's root."""
        return _client(self.root, self.port, service)

    def replace_code(self, code: bytes) -> None:
        """Give `score_upload` other code, as a zip."""
        name = self.outputs["ScoreUploadFunction"]
        self.client("lambda").update_function_code(FunctionName=name, ZipFile=code)

    def deployed_code(self) -> bytes:
        """The code that was deployed, as a zip."""
        bundle = self.root / "build" / "lambdas" / layout.resource_name("local", MODEL)
        return zipped({str(path.relative_to(bundle)): path.read_bytes() for path in bundle.rglob("*.*")})


@contextmanager
def laptop() -> Iterator[Laptop]:
    """A laptop on which the model is trained and live; its cloud ends with the block."""
    with TemporaryDirectory(prefix="millrace-") as folder:
        root, port = Path(folder) / "millrace", free_port()
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*NOT_COPIED))
        for name in INSTALLED:
            (root / name).symlink_to(ROOT / name)
        _millrace(root, port, "up")
        try:
            _millrace(root, port, "deploy", "--model", MODEL)
            outputs = json.loads(_millrace(root, port, "outputs", "--model", MODEL))
            table = samples.write_csv(root / "tumors.csv", *samples.tumors())
            _client(root, port, "s3").put_object(
                Bucket=outputs["DataBucket"], Key="training/tumors.csv", Body=table.read_bytes()
            )
            ssm = _client(root, port, "ssm")
            live = layout.live_parameter("local", MODEL)
            until(lambda: ssm.get_parameters(Names=[live])["Parameters"], seconds=180)
            yield Laptop(root, port, outputs)
        finally:
            _millrace(root, port, "down")


def until(ask: Callable[[], T], seconds: float) -> T:
    """The first true answer.

    Raises:
        TimeoutError: there is none within some seconds.
    """
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing came within {seconds:g} s")
        time.sleep(POLL_SECONDS)
    return answer


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return buffer.getvalue()


def _millrace(root: Path, port: int, *arguments: str) -> str:
    done = subprocess.run(
        [str(root / "millrace"), *arguments],
        cwd=root,
        env={**os.environ, "MILLRACE_PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def _client(root: Path, port: int, service: str) -> Any:
    variables = local.environment(root / ".millrace" / f"cloud-{port}")
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        verify=variables["AWS_CA_BUNDLE"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
