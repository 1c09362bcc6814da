"""report.html: what validation found, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contract.documents.validation import CheckMade, FeatureLooked, Problem, Validation
from contract.schema import Contract
from training.report.blocks import Badge, Bar, Block, Cell, Level, Pairs, Section, Table, Text, Tiles
from training.report.facts import Lineage
from training.report.page import number, percent, render

SHOWN = 40
_OUTCOMES: Mapping[str, Level] = {"passed": "pass", "warned": "warn", "stopped": "fail"}
_FOOTER = "Written by the step validate. The same figures are in report.json beside this page."


def render_page(contract: Contract, found: Validation, lineage: Lineage) -> str:
    """One page that needs nothing but itself."""
    sections = [
        Section("Verdict", tuple(_verdict(found)), verdict(found)[0]),
        Section("Checks", tuple(_checks(found))),
        Section("Rows", tuple(_rows(contract, found))),
        Section("Features", tuple(_features(contract, found))),
        Section("Lineage", tuple(_lineage(contract, found, lineage))),
    ]
    shown = found["dataset_version"][:12] or "unversioned"
    return render(
        "run.html",
        title=f"{contract.model}: {verdict(found)[1]}",
        subtitle=f"Validation of dataset version {shown}, {found['rows']:,} rows",
        sections=[section for section in sections if section.blocks],
        footer=_FOOTER,
    )


def verdict(found: Validation) -> tuple[Level, str]:
    """How the page is coloured, and why in a few words."""
    stops = sum(problem["level"] == "stop" for problem in found["problems"])
    warnings = len(found["problems"]) - stops
    if stops:
        return "fail", f"the data stops the run ({stops} {_plural('problem', stops)})"
    if warnings:
        return "warn", f"the data passes with {warnings} {_plural('warning', warnings)}"
    return "pass", "the data passes"


def _verdict(found: Validation) -> Iterator[Block]:
    made = [check for check in found["checks"] if check["outcome"] not in ("off", "skipped")]
    yield Tiles(
        [
            (f"{found['rows']:,}", "rows"),
            (f"{len(found['files']):,}", _plural("file", len(found["files"]))),
            (f"{len(found['missing']):,}", "features"),
            (f"{len(made)} of {len(found['checks'])}", "checks made"),
        ]
    )
    if not found["problems"]:
        yield Text("Nothing was found to object to.")
        return
    yield Table(
        ("", "check", "what was found", "what to do"),
        [(_level(one), Badge("", one["check"]), _what(one), one["do"] + ".") for one in found["problems"]],
    )


def _what(problem: Problem) -> str:
    return problem["sentence"].removesuffix(f" {problem['do']}.")


def _level(problem: Problem) -> Badge:
    return Badge("fail", "stops the run") if problem["level"] == "stop" else Badge("warn", "warning")


def _checks(found: Validation) -> Iterator[Block]:
    yield Text(
        "What is measured, and how levels and limits are set in model.toml: docs/validation.md. "
        + (
            "What looks at values beside the target is of a sample of "
            f"{found['sampled_rows']:,} of the {found['sound_rows']:,} rows that keep the contract; "
            "all else is of all rows."
            if found["sampled_rows"] < found["sound_rows"]
            else "Every check looked at all rows."
        )
    )
    yield Table(
        ("check", "what it asks", "rule", "worst measured", "outcome"),
        [
            (Badge("", check["check"]), check["asks"], _rule(check), _measured(check), _outcome(check))
            for check in found["checks"]
        ],
    )


def _rule(check: CheckMade) -> str:
    if check["limit"] is None:
        return check["level"]
    return f"{check['level']}: at {'most' if check['bound'] == 'maximum' else 'least'} {check['limit']:g}"


def _measured(check: CheckMade) -> str:
    if check["why"]:
        return f"not made: {check['why']}"
    if check["limit"] is None:
        return f"{check['found']} found" if check["found"] else "none found"
    if check["value"] is None:
        return "nothing to measure"
    return f"{number(check['value'])}{' in ' + check['column'] if check['column'] else ''}"


def _outcome(check: CheckMade) -> Badge:
    return Badge(_OUTCOMES.get(check["outcome"], ""), check["outcome"])


def _rows(contract: Contract, found: Validation) -> Iterator[Block]:
    refused = found["rows"] - found["unlabelled_rows"] - found["sound_rows"]
    yield Tiles(
        [
            (f"{refused:,}", "rows that break the contract"),
            (f"{found['unlabelled_rows']:,}", "rows set aside, without a target"),
            (f"{found['duplicate_rows']:,}", "rows that repeat another"),
            (f"{found['conflicting_rows']:,}", "rows like another, with another target"),
        ]
    )
    counted = sum(found["classes"].values())
    if counted:
        classes = [(name, f"{rows:,}", percent(rows / counted)) for name, rows in found["classes"].items()]
        yield _long((contract.target.name, "#rows", "#share"), classes, "classes")
    yield _long(("file", "#rows"), [(name, f"{rows:,}") for name, rows in found["files"].items()], "files")


def _features(contract: Contract, found: Validation) -> Iterator[Block]:
    if not found["features"]:
        return
    classes = contract.problem != "regression"
    measure = "ROC AUC" if classes else "R²"
    yield Text(
        f"What each feature alone says about {contract.target.name}, the strongest first. "
        + (
            "0.5 is nothing, 1 the target itself; of several classes it is the mean of each against the rest."
            if classes
            else "0 is nothing, 1 the target itself."
        )
    )
    by_strength = sorted(found["features"], key=lambda one: (one["alone"] is None, -(one["alone"] or 0)))
    yield _long(
        ("feature", "type", "#values", "missing", f"{measure} alone", "#PSI"),
        [_feature(one, nothing=0.5 if classes else 0) for one in by_strength],
        "features",
    )
    against = found["compared_with"]
    yield Text(
        f"PSI is the population stability index against the data of {against}; 0.2 is a great change."
        if against
        else "There is no PSI: no version was live to compare with."
    )
    if found["not_compared"]:
        named = "; ".join(f"{name}: {why}" for name, why in found["not_compared"].items())
        yield Text(f"Not compared with the data of {against}: {named}.")


def _feature(one: FeatureLooked, *, nothing: float) -> tuple[Cell, ...]:
    alone = one["alone"]
    return (
        one["feature"],
        one["type"],
        f"{one['distinct']:,}",
        Bar(one["missing"], percent(one["missing"])),
        number(None) if alone is None else Bar((alone - nothing) / (1 - nothing), number(alone)),
        number(one["psi"]),
    )


def _lineage(contract: Contract, found: Validation, lineage: Lineage) -> Iterator[Block]:
    rows = [
        ("Dataset version", found["dataset_version"]),
        ("Contract digest", contract.digest),
        ("Compared with", found["compared_with"] or ""),
        ("Run", lineage.run_uri),
        ("Job", lineage.job),
        ("Image", lineage.image),
    ]
    yield Pairs([(term, value) for term, value in rows if value])


def _long(columns: tuple[str, ...], rows: Sequence[Sequence[Cell]], what: str) -> Table:
    return Table(columns, rows, folded=f"All {len(rows)} {what}" if len(rows) > SHOWN else "")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
