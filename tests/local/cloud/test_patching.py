from __future__ import annotations

import types
from typing import Any

import pytest

from local import CloudError
from local.cloud.patching import replace


def module() -> Any:
    made = types.ModuleType("emulator")

    def act(name: str, size: int) -> str:
        return name * size

    made.act = act  # type: ignore[attr-defined]
    return made


def test_a_function_is_replaced_by_one_made_of_it() -> None:
    patched = module()
    replace(patched, "act", "name size", lambda original: lambda name, size: original(name, size).upper())
    assert patched.act("ab", 2) == "ABAB"


@pytest.mark.parametrize(("name", "parameters"), [("act", "name"), ("gone", "name size")])
def test_what_nobody_has_read_is_not_replaced(name: str, parameters: str) -> None:
    with pytest.raises(CloudError, match=r"written for ministack 1\.5\.33"):
        replace(module(), name, parameters, lambda original: original)
