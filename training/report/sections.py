"""The report of a run, section by section: what HTML and Markdown both show.

A part that does not apply says so, and why: that nothing was compared is a finding too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from contract.threshold import Fixed, parse
from training.report import figures
from training.report.blocks import Block, Level, Pairs, Plots, Section, Table, Text, Tiles
from training.report.facts import Facts
from training.report.page import number
from training.report.provenance import data, features, lineage, tuning
from training.report.subgroups import fairness, slices
from training.report.summary import glance

INTERVALS = "An interval holds the true value 95 times in 100, as far as a bootstrap of the holdout can tell."


def sections(facts: Facts) -> list[Section]:
    """Every section, the verdict first."""
    level: Level = "pass" if facts.evaluation["passed"] else "fail"
    parts: list[tuple[str, Callable[[Facts], Iterator[Block]]]] = [
        ("Data", data),
        ("Features", features),
        ("Tuning", tuning),
        ("Metrics", _metrics),
        ("Live model", _champion),
        ("Curves", _curves),
        ("Threshold", _threshold),
        ("Slices", slices),
        ("Fairness", fairness),
        ("Importance", _importance),
        ("Robustness", _robustness),
        ("Serving", _serving),
        ("Lineage", lineage),
    ]
    written = ((title, tuple(write(facts))) for title, write in parts)
    return [
        Section("Verdict", tuple(glance(facts)), level),
        *(Section(title, blocks) for title, blocks in written if blocks),
    ]


def _metrics(facts: Facts) -> Iterator[Block]:
    yield Text(f"On {facts.evaluation['rows']:,} rows that the model was not trained on. {INTERVALS}")
    yield Table(
        ("metric", "#value", "#low", "#high"),
        [
            (name, number(one["value"]), number(one["low"]), number(one["high"]))
            for name, one in facts.evaluation["metrics"].items()
        ],
    )


def _champion(facts: Facts) -> Iterator[Block]:
    champion = facts.evaluation["champion"]
    if champion is None:
        yield Text("No version was live when this run began, so there was none to compare with.")
        return
    if champion["not_comparable"]:
        yield Text(f"{champion['model_version']} could not be compared: {champion['not_comparable']}")
        return
    yield Text(
        f"Both models on the same {champion['rows']:,} rows, against {champion['model_version']}. The "
        "interval is of the difference, by a bootstrap that draws the same rows for both."
    )
    if champion["may_know_rows"]:
        yield Text(
            "The live model held out other rows: it may have been trained on some of these. That can only "
            "make the comparison harder for this one."
        )
    yield Table(
        ("metric", "#live", "#this", "#difference", "#low", "#high"),
        [
            (
                name,
                *(number(one[part]) for part in ("champion", "challenger", "difference", "low", "high")),
            )
            for name, one in champion["metrics"].items()
        ],
    )


def _curves(facts: Facts) -> Iterator[Block]:
    if plots := figures.curves(facts.evaluation):
        yield Plots(plots)


def _threshold(facts: Facts) -> Iterator[Block]:
    threshold = facts.evaluation["threshold"]
    if threshold is None:
        return
    yield Pairs(
        [
            ("Predicted positive from", f"a probability of {number(threshold['value'])} on"),
            ("Rule", threshold["rule"]),
            ("Why", threshold["why"]),
        ]
    )
    chosen = not isinstance(parse(facts.contract.target.threshold), Fixed)
    if chosen and facts.holdout.cross_validated:
        yield Text(
            "It was chosen on the predictions that it is measured on, so that precision and recall at it are "
            "a little better than those to expect."
        )
    if plots := figures.thresholds(facts.evaluation):
        yield Plots(plots)


def _importance(facts: Facts) -> Iterator[Block]:
    importances = facts.evaluation["importance"]
    if not importances["features"]:
        return
    yield Plots(figures.importances(importances))
    yield Table(
        ("feature", "#permutation", "#± std", "#mean |SHAP|"),
        [
            (
                one["feature"],
                number(one["permutation_mean"]),
                number(one["permutation_std"]),
                number(one["shap_mean_abs"]),
            )
            for one in importances["features"]
        ],
        folded=f"All {len(importances['features'])} features",
    )


def _robustness(facts: Facts) -> Iterator[Block]:
    robustness = facts.evaluation["robustness"]
    if not robustness:
        return
    yield Text("The same rows, changed in ways that data changes. What falls far is what to watch.")
    yield Table(
        ("change", "what it is", f"#{robustness[0]['metric']}", "#difference"),
        [(one["change"], one["says"], number(one["value"]), number(one["difference"])) for one in robustness],
    )


def _serving(facts: Facts) -> Iterator[Block]:
    costs, parity = facts.evaluation["serving"], facts.evaluation["parity"]
    yield Tiles(
        [
            (f"{costs['latency_p50_ms']:.2f} ms", "one row, median"),
            (f"{costs['latency_p99_ms']:.2f} ms", "one row, 99 in 100 faster"),
            (f"{costs['latency_100_rows_p50_ms']:.2f} ms", "100 rows, median"),
            (f"{costs['latency_100_rows_p99_ms']:.2f} ms", "100 rows, 99 in 100 faster"),
            (f"{costs['memory_mib']:.0f} MiB", "memory of the server"),
            (f"{costs['artifact_bytes'] / 1e6:.2f} MB", "artifact"),
        ]
    )
    yield Text(
        "Measured in a process of its own where the evaluation ran, HTTP left out: figures to compare "
        "runs by, not what a caller sees. "
        f"ONNX and scikit-learn differ by {parity['largest_difference']:.2g} at most on the holdout "
        f"({parity['tolerance']:g} is allowed)."
    )
