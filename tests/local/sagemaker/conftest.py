from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

import local
from tests.local.sagemaker import fake_image
from tests.local.sagemaker.workbench import EARLIER_IMAGE, Workbench


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """A cloud whose images stand for the fake image's tree, and an earlier one for a tree of its own."""
    root = tmp_path_factory.mktemp("sagemaker")
    image_root = fake_image.write(root / "image")
    images = {EARLIER_IMAGE: fake_image.write(root / "earlier")}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    local.start(root / "cloud", port, image_root=image_root, images=images)
    try:
        yield Workbench(local.environment(root / "cloud"), root / "cloud")
    finally:
        local.stop(root / "cloud")
