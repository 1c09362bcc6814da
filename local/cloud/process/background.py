"""Start, find and stop a cloud that runs in the background. Knows the folder, not what runs in there."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.cloud.process.folder import CloudError, claim, is_locked
from local.cloud.process.root_key import write_private

DEFAULT_PORT = 4566
HOST = "127.0.0.1"
LOG_TAIL_LINES = 30
_POLL_SECONDS = 0.05
_started: dict[Path, subprocess.Popen[bytes]] = {}
"""The clouds that this process started, by their folder: whoever starts a process must reap it."""


@dataclass(frozen=True)
class CloudInfo:
    """What `cloud.json` in a running cloud's folder says."""

    endpoint_url: str
    pid: int
    port: int
    ca_bundle: str
    region: str
    account: str
    access_key: str
    secret_key: str = field(repr=False)


def default_folder(port: int = DEFAULT_PORT) -> Path:
    """Where a cloud lives unless told otherwise: `.millrace/cloud-<port>` below the working directory."""
    return Path(".millrace") / f"cloud-{port}"


def start(
    folder: Path | None = None,
    port: int = DEFAULT_PORT,
    *,
    image_root: Path | None = None,
    images: Mapping[str, Path] | None = None,
    strict: int | None = None,
    timeout: float = 60.0,
) -> CloudInfo:
    """Start a new, empty cloud in the background and wait until it answers.

    `image_root` is the source tree that image URIs stand for (default: the working directory), but those
    of `images`, which have trees of their own, such as an earlier release's.
    `strict` is the seed of a cloud that throttles, delays and has quotas, as accounts do.
    A cloud keeps nothing from an earlier one: what lies in its folder is removed first.
    Raises CloudError when the port is taken, or, with the end of the log, when it does not come up.
    """
    folder = (folder or default_folder(port)).resolve()
    if is_locked(folder):
        raise CloudError(f"a cloud already runs in {folder}. Stop it first: ./millrace down")
    check_port(port)
    claim(folder)
    log_path = folder / "cloud.log"
    root = Path(__file__).resolve().parents[3]
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "local", "--port", str(port), "--folder", str(folder)),
                *("--image-root", str((image_root or Path.cwd()).resolve())),
                *(f"--image={uri}={tree.resolve()}" for uri, tree in (images or {}).items()),
                *(() if strict is None else ("--strict", str(strict))),
            ],
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _started[folder] = process
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and process.poll() is None:
        info = status(folder)
        if info is not None and info.pid == process.pid:
            return info
        time.sleep(_POLL_SECONDS)
    _end(folder)
    tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
    raise CloudError(f"the cloud did not become ready. The end of {log_path}:\n{tail}")


def stop(folder: Path | None = None, timeout: float = 15.0) -> bool:
    """Stop the cloud of this folder and everything it started. False when none runs there."""
    folder = (folder or default_folder()).resolve()
    info = status(folder)
    if info is None:
        _end(folder)  # it may have been killed: somebody must still take note of that
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(info.pid, number)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if _is_gone(folder, info):
                _started.pop(folder, None)
                return True
            time.sleep(_POLL_SECONDS)
    raise CloudError(f"process {info.pid} of the cloud in {folder} does not end. Kill it by hand.")


def _is_gone(folder: Path, info: CloudInfo) -> bool:
    """Whether folder and port may be used again."""
    own = _started.get(folder)
    if is_locked(folder) or (own is not None and own.poll() is None):
        return False
    try:
        check_port(info.port)
    except CloudError:
        return False
    return True


def status(folder: Path | None = None) -> CloudInfo | None:
    """The ready cloud of this folder, or None.

    Raises CloudError when it was started by another version of this code.
    """
    folder = (folder or default_folder()).resolve()
    if not is_locked(folder):
        return None
    try:
        document = json.loads((folder / "cloud.json").read_text())
    except FileNotFoundError:
        return None
    if document.keys() != CloudInfo.__dataclass_fields__.keys():
        raise CloudError(
            f"the cloud in {folder} was started by another version of this code: "
            f"end it with kill {document.get('pid')}, and start it again"
        )
    return CloudInfo(**document)


def environment(folder: Path | None = None) -> dict[str, str]:
    """The variables that make the AWS CLI, boto3 and the CDK CLI talk to the cloud of this folder.

    Raises CloudError when none runs there.
    """
    info = status(folder)
    if info is None:
        where = (folder or default_folder()).resolve()
        raise CloudError(f"no cloud runs in {where}. Start one: ./millrace up")
    return client_environment(info)


def client_environment(info: CloudInfo) -> dict[str, str]:
    """As `environment`, for a cloud that is known."""
    return {
        "AWS_ENDPOINT_URL": info.endpoint_url,
        "AWS_ACCESS_KEY_ID": info.access_key,
        "AWS_SECRET_ACCESS_KEY": info.secret_key,
        "AWS_SESSION_TOKEN": "",
        "AWS_REGION": info.region,
        "AWS_DEFAULT_REGION": info.region,
        "AWS_CA_BUNDLE": info.ca_bundle,
        "NODE_EXTRA_CA_CERTS": info.ca_bundle,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "CDK_DEFAULT_ACCOUNT": info.account,
        "CDK_DEFAULT_REGION": info.region,
        "CDK_DISABLE_VERSION_CHECK": "1",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }


def publish(folder: Path, info: CloudInfo) -> None:
    """Say that the cloud is ready, to who may read its root's key."""
    write_private(folder / "cloud.json", json.dumps(asdict(info), indent=2) + "\n")


def check_port(port: int) -> None:
    """Raise CloudError when something listens on the port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CloudError(
                f"port {port} of {HOST} cannot be used ({error.strerror}). Choose another: --port {port + 1}"
            ) from error


def _end(folder: Path) -> None:
    """End and reap the process that this process started for a folder, if there is one."""
    process = _started.pop(folder, None)
    if process is None:
        return
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
