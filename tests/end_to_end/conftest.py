"""Laptops for the tests, and the model `tumor`, live on one of them."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.kit import samples
from tests.end_to_end.laptop import Laptop, Model

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "build", "cdk.out", ".*cache", ".millrace"
)
INSTALLED = (".venv", "node_modules")


@pytest.fixture(scope="session")
def make_laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Laptop]]:
    """Makes checkouts whose clouds are not running yet, and stops the clouds in the end."""
    made: list[Laptop] = []

    def make() -> Laptop:
        root = tmp_path_factory.mktemp("laptop") / "millrace"
        shutil.copytree(ROOT, root, ignore=NOT_COPIED)
        for name in INSTALLED:
            (root / name).symlink_to(ROOT / name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            made.append(Laptop(root, probe.getsockname()[1]))
        return made[-1]

    yield make
    for laptop in made:
        laptop.millrace("down")


@pytest.fixture(scope="session")
def laptop(make_laptop: Callable[[], Laptop]) -> Iterator[Laptop]:
    """A laptop whose cloud runs. Nothing on it may be refused but what a test has forbidden."""
    laptop = make_laptop()
    laptop.millrace("up")
    yield laptop
    unexpected = [
        denied
        for denied in laptop.denials()
        if not any(name in f"{denied['principal']} {denied['resource']}" for name in laptop.broken)
    ]
    assert unexpected == []


@pytest.fixture(scope="session")
def tumor(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model `tumor`, deployed, trained and live."""
    laptop.millrace("deploy", "--model", "tumor")
    model = laptop.model("tumor")
    model.train(samples.write_csv(tmp_path_factory.mktemp("data") / "tumors.csv", *samples.tumors()))
    return model
