"""`[validation]` of a `model.toml`: levels and limits of the checks that are made of its data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract import checks
from contract.checks import BY_NAME, CHECKS, Check, Level
from infra.settings.toml import Problem, SettingsTable, suggestion


class RuleSettings(SettingsTable):
    level: Level | None = None
    maximum: float | None = None
    minimum: float | None = None


def compiled_rules(rules: Mapping[str, RuleSettings]) -> dict[str, checks.Rule]:
    """Every check's rule: what is said here, and its own where nothing is."""
    return {check.name: _compiled(check, rules.get(check.name, RuleSettings())) for check in CHECKS}


def rule_problems(rules: Mapping[str, RuleSettings]) -> Iterator[Problem]:
    """Rules for unknown checks, and levels and limits that a check cannot have."""
    for name, rule in rules.items():
        if name in BY_NAME:
            yield from _problems(BY_NAME[name], rule)
        else:
            text = f"unknown check{suggestion(name, BY_NAME)}; allowed: {', '.join(BY_NAME)}"
            yield Problem(("validation", name), text)


def _compiled(check: Check, rule: RuleSettings) -> checks.Rule:
    limit = rule.maximum if check.bound == "maximum" else rule.minimum
    return checks.Rule(level=rule.level or check.level, limit=check.limit if limit is None else float(limit))


def _problems(check: Check, rule: RuleSettings) -> Iterator[Problem]:
    place = ("validation", check.name)
    if rule.level is not None and rule.level not in check.levels:
        yield Problem.at(*place, "level", found=rule.level, allowed=" or ".join(map(repr, check.levels)))
    for bound in ("maximum", "minimum"):
        limit = getattr(rule, bound)
        if limit is None:
            continue
        if bound != check.bound:
            allowed = f"nothing: this check has {f'a {check.bound} instead' if check.bound else 'no limit'}"
            yield Problem.at(*place, bound, found=limit, allowed=allowed)
        elif not check.lowest <= limit <= check.highest:
            allowed = f"{check.lowest:g} to {check.highest:g}"
            yield Problem.at(*place, bound, found=limit, allowed=allowed.replace(" to inf", " or more"))
