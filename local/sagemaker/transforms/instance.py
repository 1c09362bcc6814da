"""One instance of a transform job: a model server of its own, asked for one part at a time by each thread."""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import urllib3

from local.cloud.seam import Cloud, Credentials
from local.sagemaker import container
from local.sagemaker.transforms.plan import TransformPlan

STARTUP_SECONDS = 120.0
_POLL_SECONDS = 0.05
_ENDING_SECONDS = 5.0


class InstanceError(Exception):
    """The server cannot be asked, or is gone. The message is the job's FailureReason."""


class PartError(Exception):
    """A part cannot be scored: the server refuses it, or fails on it as often as the job may ask."""


class Instance:
    """`python -m training serve` on a port of its own."""

    def __init__(
        self, cloud: Cloud, plan: TransformPlan, base: Path, log: Callable[[str, str], None]
    ) -> None:
        self._cloud = cloud
        self._plan = plan
        self._base = base
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._stream = f"{plan.name}/i-{secrets.token_hex(9)[:17]}"
        self._http = urllib3.PoolManager(maxsize=plan.concurrency, retries=False)

    def start(self, image: str, variables: dict[str, str], credentials: Credentials | None) -> None:
        """Start the server of an image. `credentials` are None where the model is isolated."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        self._url = f"http://127.0.0.1:{port}"
        self._process = self._cloud.children.spawn(
            container.command(["serve"]),
            env=container.environment(
                self._cloud,
                image,
                self._base,
                {**variables, "SAGEMAKER_BIND_TO_PORT": str(port)},
                credentials,
            ),
            cwd=container.tree(self._cloud, image),
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def wait_until_healthy(self) -> None:
        """Wait for /ping to answer 200.

        Raises:
            InstanceError: the server ends before it does, or it takes too long.
        """
        deadline = time.monotonic() + STARTUP_SECONDS
        while time.monotonic() < deadline and self.alive:
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if self._http.request("GET", f"{self._url}/ping", timeout=2.0).status == 200:
                    return
            time.sleep(_POLL_SECONDS)
        raise InstanceError("ClientError: The primary container did not pass the ping health check.")

    @property
    def alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    def ask(self, body: bytes) -> bytes:
        """The server's answer to a part.

        Raises:
            PartError: it refuses the part, or answers with an error however often it is asked.
            InstanceError: it is gone.
        """
        if len(body) > self._plan.max_payload:
            raise PartError(f"ClientError: the part has {len(body)} bytes, more than MaxPayloadInMB")
        said = ""
        for _ in range(1 + self._plan.retries):
            try:
                answer = self._http.request(
                    "POST",
                    f"{self._url}/invocations",
                    body=body,
                    headers={**self._plan.headers, "Connection": "close"},
                    timeout=self._plan.timeout,
                )
            except urllib3.exceptions.HTTPError as error:
                if self._is_gone():
                    raise InstanceError("AlgorithmError: The primary container ended.") from error
                said = type(error).__name__
                continue
            if answer.status == 200:
                return answer.data
            said = f"{answer.status}: {answer.data[:256].decode(errors='replace')}"
            if answer.status < 500 and answer.status != 429:
                break
        raise PartError(f"ClientError: {said}")

    def _is_gone(self) -> bool:
        """Whether a server that broke a request off has ended: its sockets close before its process does."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING_SECONDS)
        return not self.alive

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._cloud.children.stop(self._process)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._log(self._stream, line.decode(errors="replace").rstrip("\r\n"))
