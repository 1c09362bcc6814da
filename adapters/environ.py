"""Settings from environment variables: a dataclass's field names, in capitals."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Self, get_type_hints


class SettingsError(Exception):
    """An environment variable is missing or malformed: the stack and the function disagree."""


class FromEnviron:
    """A dataclass of `str` and `int` fields that can be read from environment variables."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read one variable a field.

        Raises:
            SettingsError: a variable is missing, empty, or not a number where one is needed.
        """
        hints = get_type_hints(cls)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]  # only dataclasses inherit
        return cls(**{name: _value(name.upper(), hints[name], environ) for name in names})


def _value(variable: str, kind: type, environ: Mapping[str, str]) -> str | int:
    text = environ.get(variable, "")
    if not text:
        raise SettingsError(f"the environment variable {variable} is not set: deploy the stack again")
    if kind is not int:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"the environment variable {variable} is {text!r}, not a whole number") from error
