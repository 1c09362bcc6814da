"""Making a model's folder from a table."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.kit.errors import CliError
from cli.new_model import target as targets
from cli.new_model.document import Document
from cli.new_model.features import Draft, draft, twice, unreadable
from cli.new_model.hints import Hint, Weight, most_valuable_first
from cli.new_model.profile import Profile, hours, number
from cli.new_model.table import Table
from contract.schema import MODEL_FILE, Problem
from infra.settings import ModelSettings
from infra.settings.model import MAX_NAME, NAME
from infra.settings.toml import validate


@dataclass(frozen=True, kw_only=True)
class Made:
    """What `new_model` wrote, and what it did not understand or had to guess, most valuable first."""

    path: Path
    document: Document
    hints: Sequence[Hint]


def new_model(
    name: str,
    source: Path,
    *,
    column: str,
    root: Path,
    positive: str | None = None,
    problem: Problem | None = None,
) -> Made:
    """Infer a `model.toml` from a table and write it to `models/<name>/` under a root folder.

    Raises:
        CliError: the name cannot be one or is taken, or the table or its target is not usable.
    """
    path = root / "models" / name / MODEL_FILE
    _check_name(name, path)
    table = Table.open(source, column)
    profiles = dict(_profiles(table, column))
    profile = profiles.pop(column)
    target = targets.target(profile, problem=problem, positive=positive)
    drafts = [_draft(table, profiles, each) for each in dict.fromkeys(table.header) if each != column]
    _check_features(drafts, source)
    document = Document(name=name, source=source.name, rows=profile.rows, target=target, drafts=drafts)
    text = str(document)
    validate(ModelSettings, tomllib.loads(text), path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    hints = (*_headless(table), *target.hints, *document.hints, *(h for each in drafts for h in each.hints))
    return Made(path=path, document=document, hints=most_valuable_first(hints))


def _draft(table: Table, profiles: Mapping[str, Profile], name: str) -> Draft:
    if name in table.twice:
        return twice(name)
    if name in table.unreadable:
        return unreadable(name, table.unreadable[name])
    return draft(profiles[name])


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


def _headless(table: Table) -> Iterator[Hint]:
    """What makes one think that the first line is a row like the others."""
    value = next((n for n in table.header if number(n) is not None or hours(n) is not None), None)
    if value is not None:
        yield Hint(Weight.REFUSED, value, "a column is called so", "does the file lack a header line?")


def _profiles(table: Table, column: str) -> Iterator[tuple[str, Profile]]:
    if column in table.twice:
        raise CliError(f"{table.path} has two columns called {column!r}: rename or remove one.")
    if column not in table.names:
        raise CliError(_no_column(table, column))
    profiles = {name: Profile(name) for name in table.names}
    for chunk in table.chunks():
        for name, cells in chunk.items():
            profiles[name].add(cells)
    if column in table.unreadable:
        raise CliError(f"the target {column!r} cannot be read: {table.unreadable[column]}.")
    return iter(profiles.items())


def _no_column(table: Table, column: str) -> str:
    missing = f"{table.path} has no column {column!r}"
    if (line := table.named_later(column)) is not None:
        return f"{missing} in its first line, but in line {line}: remove the lines above that one."
    close = difflib.get_close_matches(column, table.header, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"its columns are {', '.join(table.header)}."
    headless = "".join(f" A column is called {hint.column!r}: {hint.write}" for hint in _headless(table))
    return f"{missing}: {hint}{headless}"
