"""Checks of the rows as a whole: how many there are, of which class, how often, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from training.validation.evidence import Evidence
from training.validation.finding import Finding
from training.validation.rows.duplicates import Place

LISTED_CLASSES = 5


def schema(evidence: Evidence) -> Iterator[Finding]:
    """Files that are no table with the contract's columns."""
    found = evidence.collected
    yield from found.faults.unreadable
    if not found.files:
        yield Finding(check="schema", message="The dataset has no file", do="Upload a table under training/")


def values(evidence: Evidence) -> Iterator[Finding]:
    """Values that break the contract; the share of rows that have each kind of fault."""
    yield from evidence.collected.faults.values(evidence.collected.rows)


def target(evidence: Evidence) -> Iterator[Finding]:
    """A target that is not what the problem predicts."""
    contract, found = evidence.contract, evidence.collected
    name, positive = contract.target.name, contract.target.positive
    if contract.problem == "regression":
        low, high = found.target_range
        if low >= high:
            yield _target(name, f"Every row has the same value, {low:g}", "Add rows with other values")
        return
    listed = _listed(sorted(found.classes))
    if len(found.classes) < 2:
        yield _target(name, f"Every row has the same value, {listed}", "Add rows of another class")
    if positive is not None and positive not in found.classes:
        do = "Add rows with it, or correct positive in [target]: it is text, spelled as in the table"
        yield _target(name, f"No row has the positive {positive!r}; found {listed}", do)
    if contract.problem == "binary" and len(found.classes) > 2:
        do = (
            "Correct them, name those that mean no label in missing of [target], "
            'or set problem = "multiclass"'
        )
        yield _target(name, f"{len(found.classes)} values ({listed}), and a binary problem has two", do)


def unlabelled(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows without a target, which are set aside."""
    found, name = evidence.collected, evidence.contract.target.name
    share = found.unlabelled / max(found.rows, 1)
    yield Finding(
        check="unlabelled",
        value=share,
        column=name,
        count=found.unlabelled,
        message=f"{found.unlabelled:,} rows ({share:.1%}) have none, and nothing is learned from them",
        do="Fill it in, or allow more rows without one with unlabelled.maximum in [validation]",
    )


def rows(evidence: Evidence) -> Iterator[Finding]:
    """How many rows with a target there are."""
    found, least = evidence.collected, evidence.contract.validation["rows"].limit
    count = found.rows - found.unlabelled
    without = f" (and {found.unlabelled:,} without a target)" if found.unlabelled else ""
    yield Finding(
        check="rows",
        value=count,
        message=f"The dataset has {count:,} rows{without}, and {least:g} are asked for",
        do="Add rows, or ask for fewer with rows.minimum in [validation]",
    )


def class_rows(evidence: Evidence) -> Iterator[Finding]:
    """How many rows each class has."""
    least = evidence.contract.validation["class_rows"].limit
    for label, count in sorted(evidence.collected.classes.items()):
        yield Finding(
            check="class_rows",
            value=count,
            column=evidence.contract.target.name,
            message=f"{count:,} rows of {label!r}; to learn a class and to test on it takes {least:g}",
            do="Add rows of it, or leave its rows out",
        )


def balance(evidence: Evidence) -> Iterator[Finding]:
    """The rarest class's share of the rows, of what it would be if all were as frequent."""
    counts = evidence.collected.classes
    label, count = min(counts.items(), key=lambda item: (item[1], item[0]))
    share = count / counts.total()
    yield Finding(
        check="balance",
        value=share * len(counts),
        column=evidence.contract.target.name,
        message=f"Only {share:.2%} of the rows are {label!r}",
        do="Judge the model by pr_auc rather than accuracy, and choose a threshold by cost or recall",
    )


def conflicts(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows whose features occur with another label, too."""
    found, (_, torn) = evidence.collected, evidence.repeats
    share = torn.rows / max(found.sound, 1)
    yield Finding(
        check="conflicts",
        value=share,
        count=torn.rows,
        message=(
            f"{torn.rows:,} rows ({share:.1%}) have the same features as another row and another "
            f"{evidence.contract.target.name}{_such_as(torn.examples)}"
        ),
        do="Correct the labels, or add the feature that tells these rows apart",
    )


def duplicates(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows that repeat another's features and label."""
    found, (again, _) = evidence.collected, evidence.repeats
    share = again.rows / max(found.sound, 1)
    yield Finding(
        check="duplicates",
        value=share,
        count=again.rows,
        message=f"{again.rows:,} rows ({share:.1%}) repeat another row{_such_as(again.examples)}",
        do="Remove them, unless each is an observation of its own: repeated rows weigh more in training",
    )


def missing(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows in which a feature has no value."""
    for name in evidence.contract.feature_names:
        count = evidence.collected.missing[name]
        share = count / max(evidence.collected.sound, 1)
        yield Finding(
            check="missing",
            value=share,
            column=name,
            count=count,
            message=f"{share:.1%} of its values are missing",
            do=f"Fill in {name}, or take it out of [features]",
        )


def time_order(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows that are older than one before them in their file."""
    found = evidence.collected.timing
    yield _timed(
        evidence,
        "time_order",
        found.disordered.rows / max(found.rows, 1),
        found.disordered.rows,
        found.disordered.examples,
        "It is before that of an earlier row of the file",
        "Sort the file by it, if rows are meant to be in order",
    )


def future(evidence: Evidence) -> Iterator[Finding]:
    """The share of rows that are of the future."""
    found = evidence.collected.timing
    yield _timed(
        evidence,
        "future",
        found.future.rows / max(found.rows, 1),
        found.future.rows,
        found.future.examples,
        "It lies in the future",
        "Correct it: what has not happened yet cannot have been observed",
    )


def random_holdout(evidence: Evidence) -> Iterator[Finding]:
    """Datetime features of a model whose rows are held out at random."""
    for name, column in evidence.columns.items():
        if column.feature.type == "datetime" and column.distinct > 1:
            yield Finding(
                check="random_holdout",
                column=name,
                message=(
                    "It is a time, and rows are held out at random: if they follow each other, a model is "
                    "judged on rows between those it knows, and seems better than it is on later ones"
                ),
                do="Name it in [time], so that the newest rows are held out, or turn this check off",
            )


def _timed(
    evidence: Evidence, check: str, share: float, count: int, examples: Sequence[Place], what: str, do: str
) -> Finding:
    name = evidence.contract.time.name if evidence.contract.time else ""
    place = examples[0] if examples else Place("", "line", 0)
    return Finding(
        check=check,
        value=share,
        column=name,
        count=count,
        file=place.file,
        place=place.place or None,
        unit=place.unit,
        message=what,
        do=do,
    )


def _target(name: str, message: str, do: str) -> Finding:
    return Finding(check="target", column=name, message=message, do=do)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(map(repr, labels[:LISTED_CLASSES])) + (", …" if len(labels) > LISTED_CLASSES else "")


def _such_as(examples: Sequence[Place]) -> str:
    if not examples:
        return ""
    return ", such as " + " and ".join(f"{place.file}, {place.unit} {place.place}" for place in examples)
