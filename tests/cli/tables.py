"""Tables to make models of, and what became of their columns."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

from cli.new_model.make import Made

Columns = dict[str, list[Any]]
Make = Callable[..., Made]

ROWS = 40


def feature(made: Made, name: str = "x") -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(made.path.read_text(encoding="utf-8"))["features"][name]
    return found


def with_x(values: list[Any]) -> Columns:
    repeated = [values[i % len(values)] for i in range(ROWS)]
    return {"x": repeated, "kept": [1.5, 2.5] * (ROWS // 2), "y": ["no", "yes"] * (ROWS // 2)}
