"""A running local cloud for the tests of `local`, started once a session on a free port."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

import local
from local import CloudInfo

T = TypeVar("T")


@dataclass(frozen=True)
class RunningCloud:
    """What a test needs of the cloud."""

    info: CloudInfo
    folder: Path

    def client(self, service: str, access_key: str = "", secret_key: str = "") -> Any:
        """A boto3 client, of the account's root unless keys of a user are given."""
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.info.endpoint_url,
            region_name=self.info.region,
            verify=self.info.ca_bundle,
            aws_access_key_id=access_key or self.info.access_key,
            aws_secret_access_key=secret_key or self.info.secret_key,
        )

    def denials(self) -> str:
        """What was refused so far, one JSON line each."""
        path = self.folder / "denied.jsonl"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives ports that nothing listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def running_cloud(
    tmp_path_factory: pytest.TempPathFactory, free_port: Callable[[], int]
) -> Iterator[RunningCloud]:
    folder = tmp_path_factory.mktemp("cloud") / "cloud"
    info = local.start(folder, free_port())
    yield RunningCloud(info, folder)
    local.stop(folder)


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """`eventually(ask, timeout)`: the first truthy answer of `ask`, asked again and again."""

    def wait(ask: Callable[[], T], timeout: float = 20.0) -> T:
        deadline = time.monotonic() + timeout
        while True:
            answer = ask()
            if answer or time.monotonic() > deadline:
                assert answer, f"nothing came within {timeout} s"
                return answer
            time.sleep(0.05)

    return wait
