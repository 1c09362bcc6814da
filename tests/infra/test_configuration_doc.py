"""Every option of the settings files is documented, with its default, and no other is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from contract.gates import METRICS
from infra.settings import EnvironmentSettings, ModelSettings
from infra.settings.toml import SettingsTable

Options = dict[tuple[str, str], str]


def options(kind: type[SettingsTable], table: str) -> Iterator[tuple[tuple[str, str], str]]:
    """The keys of a table and its sub-tables, each with its default as TOML."""
    for key, field in kind.model_fields.items():
        inner = [t for t in (field.annotation, *get_args(field.annotation)) if isinstance(t, type)]
        tables = [t for t in inner if issubclass(t, SettingsTable)]
        if tables:
            yield from options(tables[0], f"{table}.{key}".lstrip("."))
        elif key != "gates":  # its keys are the metrics
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            yield (table, key), "required" if field.is_required() else shown(default)


def shown(default: Any) -> str:
    return "none" if default is None else f"`{json.dumps(default)}`"


def documented(page: str) -> Options:
    """The rows of the page's tables, by heading and key."""
    found: Options = {}
    for section in re.split(r"^### ", page, flags=re.M)[1:]:
        heading, _, body = section.partition("\n")
        table = heading.strip("`[]").replace("Top of the file", "")
        for key, default in re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", body, flags=re.M):
            found[table, key] = default
    return found


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "configuration.md").read_text()


def test_every_option_is_documented_with_its_default(page: str) -> None:
    expected = dict(options(ModelSettings, "")) | dict(options(EnvironmentSettings, "<environment>"))
    assert len(expected) > 50
    assert documented(page) == expected


def test_every_metric_of_a_gate_is_documented(page: str) -> None:
    gates = " ".join(page.partition("### `[gates]`")[2].partition("## environments.toml")[0].split())
    for problem, metrics in METRICS.items():
        assert f"`{problem}` {', '.join(metrics)}" in gates
