"""One model server: its files, its process, its health, and its coming back when it dies."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from contract.artifact import ARCHIVE
from local.cloud.seam import AccessDeniedError, Cloud
from local.sagemaker import container, storage
from local.sagemaker.endpoints.capture import Capture, Exchange
from local.sagemaker.endpoints.models import Container
from local.sagemaker.errors import reason
from local.sagemaker.execution_role import SERVICE, ExecutionRole

NAMESPACE = "/aws/sagemaker/Endpoints"
INVOCATION_SECONDS = 60.0
_POLL_SECONDS = 0.05
_RESTART_SECONDS = 1.0


class UnhealthyError(Exception):
    """The server cannot serve; the message is the endpoint's FailureReason."""


class ModelServer:
    """`python -m training serve`: one instance of one variant of an endpoint."""

    max_body_bytes = 6_291_456

    def __init__(
        self,
        cloud: Cloud,
        endpoint: str,
        variant: Mapping[str, Any],
        model: Mapping[str, Any],
        capture: Mapping[str, Any] | None,
    ) -> None:
        """`capture` is the DataCaptureConfig, None for one that captures nothing."""
        self._cloud = cloud
        self._model = model
        self._role = ExecutionRole(cloud, model["ExecutionRoleArn"])
        self.variant = variant
        self.instance = f"i-{secrets.token_hex(9)[:17]}"
        self.log_group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self.log_stream = f"{variant['VariantName']}/{self.instance}"
        self._capture = capture and Capture(
            cloud,
            capture,
            place=f"{endpoint}/{variant['VariantName']}",
            role_arn=model["ExecutionRoleArn"],
            log=lambda line: self._role.log(self.log_group, f"{self.log_stream}/data-log", [line]),
        )
        self._folder = cloud.folder / "endpoints" / endpoint / self.instance
        self.sleeping = False
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._busy = 0
        self._idle = threading.Condition()
        self._http = urllib3.PoolManager(maxsize=64, retries=False)

    def prepare(self, source: Container) -> None:
        """Pull the image, and fetch and unpack the artifact, with the model's execution role.

        Raises:
            UnhealthyError: it cannot be read.
        """
        self._source = source
        self._pull(source.image)
        try:
            self._credentials = self._cloud.credentials_for(self._role.arn, SERVICE)
            archive = self._folder / ARCHIVE
            archive.parent.mkdir(parents=True)
            storage.download_file(self._cloud.client("s3", self._credentials), source.model_data_url, archive)
            storage.unpack(archive, self._folder / "ml" / "model")
            archive.unlink()
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            raise UnhealthyError(
                f"Failed to download model data from {source.model_data_url}: {reason(error)}"
            ) from error
        except (OSError, shutil.Error, ValueError, EOFError) as error:
            raise UnhealthyError(
                f"Failed to extract model data archive {source.model_data_url}: {error}"
            ) from error

    def _pull(self, image: str) -> None:
        try:
            self._role.check_pull(image)
        except AccessDeniedError as error:
            raise UnhealthyError(
                f"The role '{self._role.arn}' does not have BatchGetImage permission for the image: "
                f"'{image}'. ({error})"
            ) from error
        self._role.check_metrics(NAMESPACE)

    def start(self) -> None:
        """Start the process and keep it running until `stop`."""
        self._spawn()
        self.sleeping = False
        threading.Thread(target=self._supervise, name=f"serve-{self.instance}", daemon=True).start()

    def wake(self) -> float:
        """See that a process runs for the invocation that has been acquired. Seconds that took."""
        return 0.0

    def sleep(self) -> None:
        """End the process and keep its files, until `start` is called again."""
        self.sleeping = True
        if self._process is not None:
            self._cloud.children.stop(self._process)

    def wait_until_healthy(self, timeout: float) -> None:
        """Wait for /ping to answer 200.

        Raises:
            UnhealthyError: it does not within `timeout` seconds, or the process ends before it does.
        """
        deadline = time.monotonic() + timeout
        first = self._process
        while time.monotonic() < deadline and not self._stopping.is_set():
            with contextlib.suppress(urllib3.exceptions.HTTPError):
                if self._http.request("GET", f"{self._url}/ping", timeout=2.0).status == 200:
                    return
            if first is not self._process or (first is not None and first.poll() is not None):
                break
            self._stopping.wait(_POLL_SECONDS)
        raise UnhealthyError(
            f"The primary container for production variant {self.variant['VariantName']} did not pass the "
            "ping health check. Please check CloudWatch logs for this endpoint."
        )

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """Send one request to the server.

        Raises:
            urllib3 HTTPError: it does not answer, or not within `INVOCATION_SECONDS`.
        """
        return self._http.request(
            "POST",
            f"{self._url}/invocations",
            body=body,
            # A connection kept open may be closed by the server just as the next request is sent on it.
            headers={**headers, "Connection": "close"},
            timeout=INVOCATION_SECONDS,
        )

    def keep(self, exchange: Exchange) -> None:
        """Capture an exchange, where the endpoint's configuration asks for it."""
        if self._capture:
            self._capture.keep(exchange)

    def acquire(self) -> None:
        """Say that an invocation is on its way: `drain` waits for it."""
        with self._idle:
            self._busy += 1

    def release(self) -> None:
        """Say that it has been answered."""
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self) -> None:
        """Wait until every invocation has been answered, as long as one may take."""
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, INVOCATION_SECONDS)

    def stop(self) -> None:
        """End the process for good and remove its files."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            self._cloud.children.stop(process)
        if self._capture:
            self._capture.flush()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            port = _free_port()
            self._url = f"http://127.0.0.1:{port}"
            base = self._folder / "ml"
            variables = {**self._source.environment, "SAGEMAKER_BIND_TO_PORT": str(port)}
            isolated = self._model.get("EnableNetworkIsolation")
            self._process = self._cloud.children.spawn(
                container.command(["serve"]),
                env=container.environment(
                    self._cloud,
                    self._source.image,
                    base,
                    variables,
                    None if isolated else self._credentials,
                ),
                cwd=container.tree(self._cloud, self._source.image),
                stdout=subprocess.PIPE,
            )

    def _supervise(self) -> None:
        """Log the process's output; when it dies, start another, as SageMaker replaces an instance."""
        while (process := self._process) is not None and process.stdout is not None:
            with process.stdout:
                for line in process.stdout:
                    self._log(line.decode(errors="replace").rstrip("\r\n"))
            code = self._cloud.children.stop(process)
            if self._rests(process) or self._stopping.wait(_RESTART_SECONDS) or self._rests(process):
                return
            self._log(f"The container ended with exit code {code}: starting it again.")
            self._spawn()

    def _rests(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether a process that has ended was meant to, and may have a successor already."""
        return self.sleeping or self._process is not process

    def _log(self, line: str) -> None:
        self._role.log(self.log_group, self.log_stream, [line])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
