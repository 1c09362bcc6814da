"""`[training.search]` of a `model.toml`: which parameters of the estimator are searched, and how."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field

from contract import search
from contract.gates import METRICS
from contract.search import OBJECTIVES, default_space
from infra.settings.toml import Problem, SettingsError, SettingsTable, suggestion, validate

SPACE = "SEARCH"
"""Name of the literal beside an own estimator that says what may be searched of it."""
TUNED_AT_MOST = 30
"""SageMaker's limit on the parameters of a tuning job."""


class RangeSettings(SettingsTable):
    type: search.Kind
    min: float | None = None
    max: float | None = None
    scale: search.Scale = "linear"
    values: list[str | int | float | bool] = Field(default_factory=list)

    @classmethod
    def of(cls, known: search.Range) -> Self:
        """A range of a built-in estimator."""
        return cls(type=known.type, min=known.minimum, max=known.maximum, scale=known.scale)

    def compiled(self) -> search.Range:
        """The same as a contract has it."""
        return search.Range(
            type=self.type, minimum=self.min, maximum=self.max, scale=self.scale, values=tuple(self.values)
        )

    def problems(self, *place: str) -> Iterator[Problem]:
        """Mistakes in it; it stands at a place of the file."""
        if self.type == "category":
            if not self.values or len({str(value) for value in self.values}) < len(self.values):
                yield Problem.at(*place, "values", found=self.values, allowed="one or more values, each once")
            for key in ("min", "max"):
                if getattr(self, key) is not None:
                    allowed = 'nothing: type = "category" has values'
                    yield Problem.at(*place, key, found=getattr(self, key), allowed=allowed)
            return
        if self.values:
            yield Problem.at(*place, "values", found=self.values, allowed=f'nothing: type = "{self.type}"')
        if self.min is None or self.max is None:
            yield Problem.at(*place, "min", found=None, allowed="min and max, between which is searched")
            return
        if not self.min < self.max:
            yield Problem.at(*place, "max", found=self.max, allowed=f"more than min, which is {self.min:g}")
        if self.scale == "log" and self.min <= 0:
            yield Problem.at(*place, "min", found=self.min, allowed='more than 0 where scale = "log"')
        if self.type == "integer" and not (self.min.is_integer() and self.max.is_integer()):
            yield Problem.at(*place, "type", found=self.type, allowed='"float" between such min and max')


class SearchSettings(SettingsTable):
    max_jobs: int = Field(default=search.Search.max_jobs, ge=1, le=500)
    max_parallel_jobs: int = Field(default=search.Search.max_parallel_jobs, ge=1, le=100)
    strategy: Literal["Bayesian", "Random"] = search.Search.strategy
    objective: str | None = None
    early_stopping: bool = search.Search.early_stopping
    warm_start_from: list[str] = Field(default_factory=list, max_length=5)
    parameters: dict[str, RangeSettings] = Field(default_factory=dict, max_length=TUNED_AT_MOST)

    def problems(self, problem: str, fixed: Mapping[str, Any]) -> Iterator[Problem]:
        """Mistakes in it for a kind of problem and an estimator's fixed parameters."""
        place = ("training", "search")
        if self.objective is not None and self.objective not in METRICS[problem]:
            allowed = f"{', '.join(METRICS[problem])}{suggestion(self.objective, METRICS[problem])}"
            yield Problem.at(*place, "objective", found=self.objective, allowed=allowed)
        for name, searched in self.parameters.items():
            yield from searched.problems(*place, "parameters", name)
            if name in fixed:
                allowed = "a range here or a value in training.parameters, not both"
                yield Problem.at(*place, "parameters", name, found=fixed[name], allowed=allowed)

    def with_space(self, *, estimator: str, fixed: Mapping[str, Any], folder: Path) -> SearchSettings:
        """The same with the space that is searched, where the file does not say it itself.

        Raises:
            SettingsError: nobody says it, or what stands beside the estimator is none.
        """
        if self.max_jobs == 1 or self.parameters:
            return self
        known = {name: RangeSettings.of(r) for name, r in default_space(estimator).items()}
        known = known or _beside(folder, estimator)
        space = {name: searched for name, searched in known.items() if name not in fixed}
        if not space:
            raise SettingsError(
                f"{folder.name}: [training.search] parameters: nothing to search of {estimator!r}. Say ranges"
                f" there, or a literal {SPACE} = {{…}} beside the estimator (models/README.md)"
            )
        return self.model_copy(update={"parameters": space})

    def compiled(self, problem: str) -> search.Search:
        """The same as a contract has it. What is not used is not in it, so that it changes nothing."""
        if self.max_jobs == 1:
            return search.Search()
        return search.Search(
            max_jobs=self.max_jobs,
            max_parallel_jobs=min(self.max_parallel_jobs, self.max_jobs),
            strategy=self.strategy,
            objective=self.objective or OBJECTIVES[problem],
            early_stopping=self.early_stopping,
            warm_start_from=tuple(self.warm_start_from),
            parameters={name: searched.compiled() for name, searched in self.parameters.items()},
        )


class _SpaceSettings(SettingsTable):
    SEARCH: dict[str, RangeSettings] = Field(max_length=TUNED_AT_MOST)

    def contradictions(self) -> Iterator[Problem]:
        for name, searched in self.SEARCH.items():
            yield from searched.problems(SPACE, name)


def _beside(folder: Path, estimator: str) -> dict[str, RangeSettings]:
    """The space beside an own estimator. It is read, not run: nothing a model imports is needed here."""
    path = folder / f"{estimator.partition(':')[0].replace('.', '/')}.py"
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError) as error:
        raise SettingsError(f"{path}: the estimator's module cannot be read: {error}") from error
    for statement in module.body:
        if isinstance(statement, ast.Assign) and any(_is_space(target) for target in statement.targets):
            value: ast.expr | None = statement.value
        elif isinstance(statement, ast.AnnAssign) and _is_space(statement.target):
            value = statement.value
        else:
            continue
        try:
            document = {SPACE: ast.literal_eval(value)} if value else {}
        except ValueError as error:
            raise SettingsError(
                f"{path}: {SPACE} must be a literal, without calls or names: {error}"
            ) from error
        return validate(_SpaceSettings, document, path=path).SEARCH
    return {}


def _is_space(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == SPACE
