"""Set-up where a company's proxy signs with an authority of its own, and where nothing can be fetched."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local.cloud.process.certificate import issue

pytestmark = pytest.mark.slow

PACKAGE = "millrace-not-there"
SOURCED = '. tools/certificates.sh; exec "$@"'


@dataclass
class Registry:
    """A registry behind a certificate that no tool's own list vouches for. It has no package."""

    url: str
    authority: Path
    asked_by: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    certificate = issue(tmp_path_factory.mktemp("company"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked_by.append(self.headers.get("User-Agent", "").partition("/")[0])
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = Registry(f"https://localhost:{server.server_port}", certificate.authority)
    yield found
    server.shutdown()
    server.server_close()


def environ(folder: Path, **variables: str) -> dict[str, str]:
    """Nobody's settings but these."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(folder), "PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0", **variables}


def tools(folder: Path, url: str) -> dict[str, list[str]]:
    """Commands that ask a registry, by what they say they are."""
    nowhere, pip = str(folder / "nowhere"), [sys.executable, "-m", "pip"]
    npm = ["npm", "view", PACKAGE, f"--registry={url}", "--fetch-retries=0", f"--cache={folder}"]
    return {
        "pip": [*pip, "download", "--no-deps", "--no-cache-dir", f"--index-url={url}", f"--dest={nowhere}", PACKAGE],
        "uv": ["uv", "pip", "install", "--no-cache", f"--target={nowhere}", PACKAGE],
        "npm": npm,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])
def test_the_authorities_that_one_tool_is_told_of_are_believed_by_all(
    root: Path, registry: Registry, tmp_path: Path, name: str
) -> None:
    registry.asked_by.clear()
    for command in tools(tmp_path, registry.url).values():
        variables = environ(tmp_path, PIP_INDEX_URL=registry.url, **{name: str(registry.authority)})
        done = subprocess.run(
            ["sh", "-euc", SOURCED, "sh", *command], cwd=root, env=variables, capture_output=True, check=False
        )
        assert done.returncode != 0, "the registry has no package"
    assert {*registry.asked_by} >= {"pip", "uv", "npm"}


def test_without_them_no_tool_says_a_word_to_the_registry(
    root: Path, registry: Registry, tmp_path: Path
) -> None:
    registry.asked_by.clear()
    for command in tools(tmp_path, registry.url).values():
        variables = environ(tmp_path, UV_DEFAULT_INDEX=registry.url)
        subprocess.run(command, cwd=root, env=variables, capture_output=True, check=False)
    assert registry.asked_by == []


def test_where_nothing_can_be_fetched_it_says_what_to_set(root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "millrace"
    shutil.copytree(root / "tools", copy / "tools")
    (copy / "requirements-dev.txt").write_text("uv==0.0.1\n")
    variables = environ(tmp_path, PYTHON=sys.executable, PIP_INDEX_URL="https://127.0.0.1:9/simple")
    done = subprocess.run(
        ["sh", "tools/setup.sh"], cwd=copy, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "setup: uv could not be installed" in done.stderr
    assert "SSL_CERT_FILE=/path/to/authorities.pem make setup" in done.stderr
    assert "setup: ready" not in done.stdout
