"""Making a model's folder from a table."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CliError
from cli.new_model import target as targets
from cli.new_model.document import Document
from cli.new_model.features import Draft, draft
from cli.new_model.profile import Profile, is_datetime, is_number
from cli.new_model.table import Table
from contract.schema import Problem
from infra.settings import ModelSettings
from infra.settings.model import FILE, MAX_NAME, NAME
from infra.settings.toml import validate


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `new_model` wrote, and what a person should know before using it."""

    path: Path
    document: Document
    warnings: tuple[str, ...]


def new_model(
    name: str,
    source: Path,
    *,
    column: str,
    root: Path,
    positive: str | None = None,
    problem: Problem | None = None,
) -> Made:
    """Infer a `model.toml` from a CSV and write it to `models/<name>/` under a root folder.

    Raises:
        CliError: the name cannot be one or is taken, or the table or its target is not usable.
    """
    path = root / "models" / name / FILE
    _check_name(name, path)
    table = Table.open(source)
    profiles = _profiles(table, column)
    target_profile = profiles.pop(column)
    target = targets.target(target_profile, problem=problem, positive=positive)
    drafts = [draft(profile) for profile in profiles.values()]
    _check_features(drafts, source)
    document = Document(name=name, source=source.name, rows=target_profile.rows, target=target, drafts=drafts)
    text = str(document)
    validate(ModelSettings, tomllib.loads(text), path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    warnings = (*_headless(table), *targets.warnings(target_profile, target))
    return Made(path=path, document=document, warnings=warnings)


def _check_features(drafts: Sequence[Draft], source: Path) -> None:
    if all(each.omitted for each in drafts):
        reasons = "; ".join(f"{each.name!r} {each.omitted}" for each in drafts)
        raise targets.NothingToLearnError(
            f"{source} has no column to predict from: {reasons or 'it has only the target'}."
        )


def _check_name(name: str, path: Path) -> None:
    if not re.fullmatch(NAME, name) or len(name) > MAX_NAME:
        raise CliError(
            f"{name!r} cannot be a model's name: use at most {MAX_NAME} lowercase letters, digits and "
            "single hyphens, beginning with a letter."
        )
    if path.exists():
        raise CliError(f"there is a model {name} already ({path}): choose another name, or remove that file.")


def _headless(table: Table) -> Iterator[str]:
    """What makes one think that the first line is a row like the others."""
    value = next((name for name in table.header if is_number(name) or is_datetime(name)), None)
    if value is not None:
        yield f"A column is called {value!r}: does the file lack a header line?"


def _profiles(table: Table, column: str) -> dict[str, Profile]:
    profiles = [Profile(name) for name in table.header]
    if column not in table.header:
        close = difflib.get_close_matches(column, table.header, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"its columns are {', '.join(table.header)}."
        raise CliError(" ".join((f"{table.path} has no column {column!r}: {hint}", *_headless(table))))
    for chunk in table.chunks():
        for profile, cells in zip(profiles, chunk, strict=True):
            profile.add(cells)
    if not profiles[0].rows:
        raise targets.NothingToLearnError(
            f"{table.path} has a header and no rows: there is nothing to learn from."
        )
    return {profile.name: profile for profile in profiles}
