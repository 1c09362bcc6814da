"""Read a TOML file into settings; say file, table, key, found and allowed where it does not fit."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class SettingsError(ValueError):
    """Settings cannot be used. The message has one line for each thing to mend."""


@dataclass(frozen=True)
class Problem:
    """A mistake at `keys`, the path of tables and key within a document."""

    keys: tuple[str, ...]
    text: str

    @classmethod
    def at(cls, *keys: str, found: object, allowed: str) -> Problem:
        shown = "nothing" if found is None else repr(found)
        if len(shown) > 60:
            shown = shown[:57] + "..."
        return cls(keys, f"found {shown}; allowed: {allowed}")


class SettingsTable(BaseModel):
    """One table of a settings file. Keys it does not know are errors; values are never converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def contradictions(self) -> Iterator[Problem]:
        """Values that are well formed by themselves and contradict others."""
        yield from ()


T = TypeVar("T", bound=SettingsTable)


def read(path: Path, root: Path) -> dict[str, Any]:
    """The document in a TOML file under a root folder.

    Raises:
        SettingsError: it does not exist, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path.relative_to(root)}: not TOML: {error}") from error


def validate(
    kind: type[T],
    document: object,
    *,
    path: Path,
    within: tuple[str, ...] = (),
    contradictions: Callable[[T], Iterator[Problem]] = lambda table: table.contradictions(),
) -> T:
    """Read a document as one kind of table. `within` is where in the file the document stands.

    Raises:
        SettingsError: it does not fit; every problem is told at once.
    """
    try:
        table = kind.model_validate(document)
    except ValidationError as error:
        problems = [_problem(kind, details) for details in error.errors(include_url=False)]
    else:
        problems = list(contradictions(table))
        if not problems:
            return table
    raise SettingsError("\n".join(_line(path, (*within, *p.keys), p.text) for p in problems))


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean "…"?)` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


def _line(path: Path, keys: tuple[str, ...], text: str) -> str:
    *tables, key = keys or ("",)
    place = f"[{'.'.join(tables)}] {key}" if tables else key
    return ": ".join(part for part in (str(path), place, text) if part)


def _problem(kind: type[SettingsTable], details: ErrorDetails) -> Problem:
    table, keys, annotation = _locate(kind, details["loc"])
    if details["type"] == "extra_forbidden":
        known = list(table.model_fields)
        return Problem(keys, f"unknown key{suggestion(keys[-1], known)}; allowed: {', '.join(known)}")
    if details["type"] == "missing":
        return Problem(keys, f"missing; allowed: {_kind(annotation)}")
    return Problem.at(*keys, found=details["input"], allowed=_allowed(details["msg"]))


def _locate(
    kind: type[SettingsTable], location: tuple[int | str, ...]
) -> tuple[type[SettingsTable], tuple[str, ...], Any]:
    """Follow a pydantic location: the innermost table, the keys that lead there, the type there."""
    table: type[SettingsTable] = kind
    here: Any = kind
    for step in location:
        if isinstance(here, type) and issubclass(here, SettingsTable):
            table = here
            field = here.model_fields.get(str(step))
            here = field.annotation if field else None
        else:
            here = (get_args(here) or (None,))[-1]
    return table, tuple(str(step) for step in location), here


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(repr(value) for value in get_args(annotation))
    if get_origin(annotation) is dict or (
        isinstance(annotation, type) and issubclass(annotation, SettingsTable)
    ):
        return "a table"
    return {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}[annotation]


def _allowed(message: str) -> str:
    text = re.sub(r"^(Input|String|List|Dictionary) should (be )?", "", message)
    return (
        text.replace("a valid dictionary or instance of ", "a table of ")
        .replace("a valid integer", "a whole number")
        .replace("a valid ", "a ")
    )
