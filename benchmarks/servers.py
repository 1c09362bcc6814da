"""Servers as processes on one core; the benchmark and its load generator are on another."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from string import Template

from benchmarks import load
from benchmarks.environment import PEERS_PYTHON, ROOT
from benchmarks.models import Models

START_SECONDS = 60.0
SERVER_CORE, CLIENT_CORE = 0, 1


@contextmanager
def millrace(models: Models, folder: Path) -> Iterator[int]:
    """This project's model server, as its container starts it; its port."""
    base = folder / "opt-ml"
    shutil.copytree(models.artifact, base / "model", dirs_exist_ok=True)
    port = free_port()
    environ = {"SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": str(port)}
    with _running([sys.executable, "-m", "training", "serve"], folder, environ, port):
        yield port


@contextmanager
def constant(kind: str, folder: Path) -> Iterator[int]:
    """A constant, behind the project's web server (`asgi`) or behind none (`canned`)."""
    port = free_port()
    with _running([sys.executable, "-m", "benchmarks.constant", kind, str(port)], folder, {}, port):
        yield port


@contextmanager
def sagemaker(models: Models, folder: Path) -> Iterator[int]:
    """SageMaker's scikit-learn container: nginx (where there is one), gunicorn with gevent, flask."""
    port = free_port()
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    gunicorn = [str(PEERS_PYTHON), "-m", "gunicorn", "--timeout", "60", "-k", "gevent", "-w", "1"]
    gunicorn += ["--worker-connections", "1000", "--log-level", "warning"]
    gunicorn += ["benchmarks.peers.sagemaker_app:app"]
    environ = {"MODEL_DIR": str(models.pickle)}
    if nginx is None:
        with _running([*gunicorn, "-b", f"127.0.0.1:{port}"], folder, environ, port):
            yield port
        return
    folder.chmod(0o755)  # started by root, nginx serves as another user
    template = Template((ROOT / "benchmarks" / "peers" / "nginx.conf").read_text())
    configured = folder / "nginx.conf"
    places = {"folder": folder, "socket": folder / "gunicorn.sock", "port": port}
    configured.write_text(template.substitute(places))
    with (
        _running([*gunicorn, "-b", f"unix:{places['socket']}"], folder, environ, None),
        _running([nginx, "-e", "stderr", "-c", str(configured)], folder, {}, port),
    ):
        yield port


@contextmanager
def fastapi(models: Models, folder: Path) -> Iterator[int]:
    """FastAPI on uvicorn, with the project's own loop and parser."""
    port = free_port()
    command = [str(PEERS_PYTHON), "-m", "uvicorn", "benchmarks.peers.fastapi_app:app", "--port", str(port)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    with _running(command, folder, {"MODEL_DIR": str(models.pickle)}, port):
        yield port


@contextmanager
def mlserver(models: Models, folder: Path) -> Iterator[int]:
    """MLServer with its scikit-learn runtime, in one process."""
    port = free_port()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0, "debug": False}))
    model = {"name": "benchmark", "implementation": "mlserver_sklearn.SKLearnModel"}
    model_uri = {"parameters": {"uri": str(models.pickle / "model.joblib")}}
    (folder / "model-settings.json").write_text(json.dumps({**model, **model_uri}))
    command = [str(PEERS_PYTHON.with_name("mlserver")), "start", str(folder)]
    with _running(command, folder, {}, port, ready="/v2/health/ready"):
        yield port


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stay_on(core: int) -> None:
    """Keep this process and what it starts on one core, where the system can."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


@contextmanager
def _running(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], port: int | None, ready: str = "/ping"
) -> Iterator[None]:
    """A process on the servers' core, from when it answers until the end of the block."""
    log = folder / f"{Path(command[0]).name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
            stdout=output,
            stderr=output,
            preexec_fn=_on_server_core,
        )
    try:
        if port is not None:
            _wait(lambda: _answers(port, ready), process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _on_server_core() -> None:
    stay_on(SERVER_CORE)


def _answers(port: int, path: str) -> bool:
    with suppress(OSError, load.BadResponseError):
        load.ask(port, f"GET {path} HTTP/1.1\r\nHost: {load.HOST}\r\n\r\n".encode())
        return True
    return False


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a server did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)
