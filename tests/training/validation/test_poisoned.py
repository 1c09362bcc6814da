"""Each way in which data is commonly spoiled, through the job itself: stopped or warned of, and in which words."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from contract.checks import Rule
from contract.schema import Feature
from tabular.samples import Samples
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, diabetes, mixed, tumor, wine

Rows = list[list[str]]


@dataclass(frozen=True)
class Poison:
    """How a table is spoiled, the check that finds it, its level, and what its sentence holds."""

    spoil: Callable[[Table], Table]
    check: str
    level: str
    says: str
    do: str


def _with_rows(table: Table, rows: Rows) -> Table:
    return replace(table, rows=tuple(map(tuple, rows)))


def _with_column(table: Table, feature: Feature, values: list[str]) -> Table:
    contract = replace(table.contract, features=(feature, *table.contract.features))
    rows = tuple((value, *row) for value, row in zip(values, table.rows, strict=True))
    return Table(contract, (feature.name, *table.header), rows)


def shuffled_labels(table: Table) -> Table:
    labels = [row[-1] for row in table.rows]
    random.Random(5).shuffle(labels)
    return _with_rows(table, [[*row[:-1], label] for row, label in zip(table.rows, labels, strict=True)])


def leaked_target(table: Table) -> Table:
    codes = {label: f"code {i}" for i, label in enumerate(sorted({row[-1] for row in table.rows}))}
    return _with_column(table, Feature(name="copy", type="category"), [codes[row[-1]] for row in table.rows])


def leaked_number(table: Table) -> Table:
    return _with_column(
        table, Feature(name="copy", type="number"), [repr(float(row[-1]) ** 3) for row in table.rows]
    )


def nearly_leaked_target(table: Table) -> Table:
    random_ = random.Random(3)
    values = [str(int((row[-1] == "malignant") != (random_.random() < 0.01))) for row in table.rows]
    return _with_column(table, Feature(name="treated", type="number"), values)


def constant_column(table: Table) -> Table:
    return _with_column(table, Feature(name="country", type="category"), ["NL"] * len(table.rows))


def duplicated_rows(table: Table) -> Table:
    """Four rows in ten are copies."""
    rows = list(map(list, table.rows))
    return _with_rows(table, rows + rows[: round(len(rows) * 2 / 3)])


def missing_column(table: Table) -> Table:
    gone = table.header.index("colour")
    return Table(
        table.contract,
        table.header[:gone] + table.header[gone + 1 :],
        tuple(row[:gone] + row[gone + 1 :] for row in table.rows),
    )


def texts_typed_as_number(table: Table) -> Table:
    features = [
        replace(f, type="number", values=None) if f.name == "colour" else f for f in table.contract.features
    ]
    return replace(table, contract=replace(table.contract, features=tuple(features)))


def codes_typed_as_number(table: Table) -> Table:
    """Twelve regions, numbered without an order, of which every other is of the positive class."""
    random_ = random.Random(2)
    values = [
        str(random_.choice(range(1, 13, 2) if row[-1] == "malignant" else range(2, 14, 2)))
        if random_.random() < 0.8
        else str(random_.randint(1, 12))
        for row in table.rows
    ]
    return _with_column(table, Feature(name="region", type="number"), values)


def conflicting_labels(table: Table) -> Table:
    other = {"yes": "no", "no": "yes"}
    rows = list(map(list, table.rows))
    return _with_rows(table, rows + [[*row[:-1], other[row[-1]]] for row in rows[:100]])


def numbered_rows(table: Table) -> Table:
    order = random.Random(1).sample(range(1, len(table.rows) + 1), len(table.rows))
    return _with_column(table, Feature(name="number", type="number"), list(map(str, order)))


def named_rows(table: Table) -> Table:
    values = [f"P-{i:05}" for i in range(len(table.rows))]
    return _with_column(table, Feature(name="person", type="category"), values)


def unlabelled_class(table: Table) -> Table:
    return _with_rows(table, [[*row[:-1], "no"] for row in table.rows])


def rare_class(table: Table) -> Table:
    rows = [list(row) for row in table.rows if row[-1] == "benign"]
    return _with_rows(table, rows + [list(row) for row in table.rows if row[-1] == "malignant"][:12])


def empty_column(table: Table) -> Table:
    return _with_column(table, Feature(name="fax", type="category"), [""] * len(table.rows))


LABELS = "Compare some labels with their source"
TAKE_OUT = "Take it out of [features]"
POISONS: dict[str, tuple[Table, Poison]] = {
    "shuffled labels": (tumor(), Poison(
        shuffled_labels, "signal", "stop", "the labels may be shuffled or joined to the wrong rows", LABELS)),
    "shuffled classes": (wine(), Poison(
        shuffled_labels, "signal", "stop", "the labels may be shuffled or joined to the wrong rows", LABELS)),
    "shuffled values": (diabetes(), Poison(
        shuffled_labels, "signal", "stop", "the labels may be shuffled or joined to the wrong rows", LABELS)),
    "leaked target": (tumor(), Poison(
        leaked_target, "leakage", "stop", "copy: It alone predicts diagnosis with an ROC AUC of 1.0000", TAKE_OUT)),
    "leaked classes": (wine(), Poison(
        leaked_target, "leakage", "stop", "copy: It alone predicts cultivar with an ROC AUC of 1.0000", TAKE_OUT)),
    "leaked number": (diabetes(), Poison(
        leaked_number, "leakage", "stop", "copy: It alone predicts progression with an R² of 1.0000", TAKE_OUT)),
    "nearly leaked target": (tumor(), Poison(
        nearly_leaked_target, "strong_feature", "warn", "treated: It alone predicts diagnosis", "Make sure that it")),
    "constant column": (mixed(), Poison(
        constant_column, "constant", "warn", "country: Every row has the same value, 'NL'", TAKE_OUT)),
    "40% duplicates": (tumor(), Poison(
        duplicated_rows, "duplicates", "warn", "379 rows (40.0%) repeat another row, such as a.csv, line 2 and "
        "a.csv, line 571", "Remove them, unless each is an observation of its own")),
    "missing column": (mixed(), Poison(
        missing_column, "schema", "stop", "colour in a.csv, line 1: The table has no column 'colour'",
        "Add the column, spelled as in the model's contract")),
    "category typed as number": (mixed(), Poison(
        texts_typed_as_number, "values", "stop", "colour in a.csv, line 2: 'naïve' is not a number (529 rows, this is the first)",
        'Set type = "category" for colour in [features]: most of its values are no numbers')),
    "codes typed as number": (tumor(), Poison(
        codes_typed_as_number, "codes", "warn", "region: Its 12 values seem to be codes", 'Set its type = "category"')),
    "conflicting labels": (mixed(), Poison(
        conflicting_labels, "conflicts", "warn", "200 rows (28.6%) have the same features as another row and another "
        "outcome, such as a.csv, line 2 and a.csv, line 602", "Correct the labels")),
    "numbered rows": (mixed(), Poison(
        numbered_rows, "identifiers", "warn", "number: 100% of its values are different from all others", TAKE_OUT)),
    "named rows": (mixed(), Poison(
        named_rows, "identifiers", "warn", "person: 100% of its values are different from all others", TAKE_OUT)),
    "one class": (mixed(), Poison(
        unlabelled_class, "target", "stop", "outcome: No row has the positive 'yes'", "correct positive in [target]")),
    "rare class": (tumor(), Poison(
        rare_class, "balance", "warn", "diagnosis: Only 3.25% of the rows are 'malignant'", "Judge the model by pr_auc")),
    "empty column": (mixed(), Poison(
        empty_column, "missing", "stop", "fax: 100.0% of its values are missing", "Fill in fax, or take it out")),
}  # fmt: skip


@pytest.mark.parametrize("name", POISONS)
def test_spoiled_data_is_stopped_or_warned_of(tmp_path: Path, name: str) -> None:
    sound, poison = POISONS[name]
    job = Run(tmp_path, poison.spoil(sound)).validate()

    code = job.run("validate")

    document: dict[str, Any] = job.document("processing/output/report/report.json")
    found = [each for each in document["problems"] if each["check"] == poison.check]
    told = " ".join(each["sentence"] for each in found)
    assert poison.says in told
    assert poison.do in told
    assert {each["level"] for each in found} == {poison.level}
    assert code == (poison.level == "stop") != document["passed"]
    assert poison.check in (job.output("report") / "report.html").read_text()
    if poison.level == "stop":
        assert job.message().startswith("Data: ")
        assert f"{poison.check}: {found[0]['sentence']}"[:200] in job.message()


@pytest.mark.parametrize(
    "sound", [tumor(), wine(), diabetes(), mixed()], ids=["tumor", "wine", "diabetes", "mixed"]
)
def test_sound_data_is_not_objected_to(tmp_path: Path, sound: Table) -> None:
    job = Run(tmp_path, sound).validate()
    assert job.run("validate") == 0
    assert job.document("processing/output/report/report.json")["problems"] == []


def test_what_stops_a_run_and_what_is_only_told_is_for_the_model_to_say(tmp_path: Path) -> None:
    rules = {
        "duplicates": Rule(level="stop", limit=0.2),
        "constant": Rule(level="off"),
        "signal": Rule(level="off"),
    }
    table = constant_column(duplicated_rows(shuffled_labels(mixed()))).with_rules(**rules)
    job = Run(tmp_path, table).validate()
    assert job.run("validate") == 1
    document = job.document("processing/output/report/report.json")
    (problem,) = document["problems"]
    assert (problem["check"], problem["level"], problem["limit"]) == ("duplicates", "stop", 0.2)
    outcomes = {each["check"]: each["outcome"] for each in document["checks"]}
    assert (outcomes["constant"], outcomes["signal"]) == ("off", "off")


def test_rows_with_refused_values_are_left_out_where_that_is_only_warned_of(tmp_path: Path) -> None:
    rows = list(map(list, mixed().rows))
    rows[4][0] = "x"
    table = _with_rows(mixed(), rows).with_rules(values=Rule(level="warn"))
    run = Run(tmp_path, table)
    job = run.validate()
    assert job.run("validate") == 0
    document = job.document("processing/output/report/report.json")
    (problem,) = document["problems"]
    assert (problem["level"], problem["place"], document["sound_rows"]) == ("warn", 6, 599)
    prepared = run.prepare()
    assert prepared.run("prepare") == 0
    sides = [Samples.read(prepared.output(side), table.contract) for side in ("train", "holdout")]
    assert sum(map(len, sides)) == 599
