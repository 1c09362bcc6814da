"""The provenance of a model: its data, its features, the search, and where to find them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract.gates import LOWER_IS_BETTER
from contract.names.jobs import REPORT_PAGE
from contract.schema import Feature
from training.report import figures
from training.report.blocks import Badge, Block, Pairs, Plots, Table, Text, Tiles
from training.report.facts import Facts
from training.report.page import number, percent

TRIALS_SHOWN = 10


def data(facts: Facts) -> Iterator[Block]:
    """Rows, files, classes, and what validation had to say."""
    rows = facts.model["rows"]
    validation = facts.validation
    tiles: list[tuple[object, str]] = [
        (f"{rows['train']:,}", "rows trained on"),
        (
            f"{rows['holdout']:,}",
            "rows tested by models of others" if facts.holdout.refit else "rows held out",
        ),
    ]
    held_out = Text(facts.holdout.sentence())
    if validation is None:
        yield Tiles(tiles)
        yield held_out
        yield Text("The report of the validation was not handed over to this evaluation.")
        return
    duplicates = validation["duplicate_rows"]
    share = percent(duplicates / validation["rows"]) if validation["rows"] else percent(None)
    yield Tiles(
        [
            (f"{validation['rows']:,}", "rows in the dataset"),
            *tiles,
            (f"{len(validation['files']):,}", "file" if len(validation["files"]) == 1 else "files"),
            (f"{duplicates:,}", f"duplicate rows ({share})"),
        ]
    )
    yield held_out
    if validation["classes"]:
        counted = sum(validation["classes"].values())
        yield Table(
            (facts.contract.target.name, "#rows", "#share"),
            [(name, f"{count:,}", percent(count / counted)) for name, count in validation["classes"].items()],
        )
    yield from _findings(validation)


def _findings(validation: Mapping[str, Any]) -> Iterator[Block]:
    problems = validation["problems"]
    if not problems:
        yield Text(
            "Validation found nothing to object to. The report of the step validate has all it looked at."
        )
        return
    yield Table(
        ("check", "level", "what was found"),
        [(one["check"], _level(one), one["sentence"]) for one in problems],
    )


def _level(problem: Mapping[str, Any]) -> Badge:
    return Badge("warn", "warned") if problem.get("level") == "warn" else Badge("fail", "stopped")


def features(facts: Facts) -> Iterator[Block]:
    """The contract's features, and how much of each was missing."""
    missing = facts.validation["missing"] if facts.validation else {}
    rows = facts.validation["sound_rows"] if facts.validation else 0
    sensitive = set(facts.contract.sensitive)
    yield Text(
        f"{len(facts.contract.features)} features predict {facts.contract.target.name}. What the contract "
        "allows is checked in training and for each row that is scored."
    )
    table = Table(
        ("feature", "type", "allowed", "#missing"),
        [
            (
                feature.name + (" (sensitive)" if feature.name in sensitive else ""),
                feature.type + (", required" if feature.required else ""),
                _allowed(feature),
                percent(missing[feature.name] / rows) if rows and feature.name in missing else percent(None),
            )
            for feature in facts.contract.features
        ],
    )
    long = len(table.rows) > TRIALS_SHOWN
    yield Table(table.columns, table.rows, folded=f"All {len(table.rows)} features") if long else table


def _allowed(feature: Feature) -> str:
    if feature.values is not None:
        return ", ".join(feature.values)
    low, high = feature.minimum, feature.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"from {low:g}"
    return f"up to {high:g}" if high is not None else "any"


def tuning(facts: Facts) -> Iterator[Block]:
    """The estimator and the trials it came out of."""
    training = facts.contract.training
    parameters = facts.model.get("parameters", training.parameters)
    yield Pairs(
        [
            ("Estimator", training.estimator),
            ("Parameters", _listed(parameters) or "scikit-learn's defaults"),
            ("Seed", str(training.seed)),
        ]
    )
    if not facts.trials:
        yield Text("Trained once: no search for hyperparameters ([training.search] max_jobs = 1).")
        return
    yield from _trials(facts)


def _trials(facts: Facts) -> Iterator[Block]:
    metric = facts.trials[0]["metric"]
    yield Text(
        f"{len(facts.trials)} trials were measured on training rows, each predicted by a model that had not "
        "seen it. Nothing of the rows held out decided which parameters were chosen."
    )
    measured = [one["value"] for one in facts.trials if one["value"] is not None]
    if measured:
        yield Plots(figures.trials(measured, metric, higher_is_better=metric not in LOWER_IS_BETTER))
    rows = [
        (
            one["name"],
            number(one["value"]),
            _listed(one["parameters"]),
            Badge("pass", "chosen") if one.get("chosen") else _remarkable(one["status"]),
        )
        for one in facts.trials
    ]
    columns = ("trial", f"#{metric}", "parameters", "")
    yield Table(columns, rows[:TRIALS_SHOWN])
    if rest := rows[TRIALS_SHOWN:]:
        yield Table(columns, rest, folded=f"{len(rest)} more trials")


def _remarkable(status: str) -> str:
    return "" if status == "completed" else status


def _listed(parameters: Mapping[str, Any]) -> str:
    shown = {name: number(value) if isinstance(value, float) else value for name, value in parameters.items()}
    return ", ".join(f"{name} = {value}" for name, value in sorted(shown.items()))


def lineage(facts: Facts) -> Iterator[Block]:
    """Everything that is needed to find the run again, or to repeat it."""
    where, seal = facts.lineage, facts.evaluation["artifact"]
    rows = [
        ("Dataset version", facts.dataset),
        ("Code digest", facts.evaluation["code_digest"]),
        ("Contract digest", facts.contract.digest),
        ("Run", where.run_uri),
        ("Report on the data", where.validation_uri and f"{where.validation_uri.rstrip('/')}/{REPORT_PAGE}"),
        ("Pipeline execution", where.execution),
        ("Evaluation job", where.job),
        ("Image", where.image),
        ("Artifact", where.model_uri),
        *((f"SHA-256 of {name}", digest) for name, digest in seal.items()),
        ("Libraries", ", ".join(f"{name} {version}" for name, version in facts.model["libraries"].items())),
    ]
    yield Pairs([(term, value) for term, value in rows if value])
    if not where.run_uri:
        yield Text("The evaluation was run by hand, so there is no pipeline execution to name.")
