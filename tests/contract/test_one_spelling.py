"""A name that rooms must agree on stands once, in `contract/`: a name in two rooms is none's to change.

What counts as a name, and where it is looked for, is said in `tests.contract.names`.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import get_type_hints, is_typeddict

import pytest

from contract import gates
from contract.checks import CHECKS
from contract.documents import evaluation, validation
from tests.contract.names import aws_names, names_of, rooms_by_name

CONTRACT, LOCAL = "contract", "local"
ALLOWED = {
    "CloudWatch": "AWS's: the service in resource types, and in errors of Step Functions",
    "additional_information": "SageMaker's: in the schema of a model card's content",
    "custom_details": "SageMaker's: in the schema of a model card's content",
    "max_iter": "scikit-learn's: a parameter of estimators",
    "min_samples_leaf": "scikit-learn's: a parameter of estimators",
    "utf-8": "Python's: a codec",
    "utf-8-sig": "Python's: a codec",
    "utf-16": "Python's: a codec",
}


def members_of_documents() -> set[str]:
    """The keys of the documents whose shape the contract describes: mypy checks each use of them."""
    shapes = [*vars(evaluation).values(), *vars(validation).values()]
    return set(chain.from_iterable(get_type_hints(shape) for shape in shapes if is_typeddict(shape)))


METRICS = set(chain.from_iterable(gates.METRICS.values()))
IN_ROOM = {
    "metrics": METRICS,  # computes each: tests/metrics/test_metrics.py holds the lists equal
    "cli": METRICS | members_of_documents(),  # shows documents; new-model reads back the model.toml it wrote
    # Makes the documents; the tests of fairness, serving cost and validation hold the lists equal.
    "training": {
        *members_of_documents(),
        *chain.from_iterable(gates.DISPARITIES.values()),
        *gates.SERVING,
        *(check.name for check in CHECKS),
    },
}
"""Names of closed lists and typed documents, in the rooms that make or show what has them."""


@pytest.fixture(scope="module")
def spelled(root: Path) -> dict[str, set[str]]:
    """The rooms in which each name stands that is this project's own."""
    found = rooms_by_name(root)
    theirs = aws_names() | {name for name, rooms in found.items() if LOCAL in rooms} | ALLOWED.keys()
    return {
        name: {room for room in rooms if name not in IN_ROOM.get(room, set())}
        for name, rooms in found.items()
        if name not in theirs
    }


def test_a_name_in_two_rooms_stands_in_the_contract_only(spelled: dict[str, set[str]]) -> None:
    assert len(spelled) > 300
    assert {name: sorted(rooms) for name, rooms in spelled.items() if len(rooms) > 1} == {}


def test_the_laptops_cloud_spells_what_is_awss(root: Path) -> None:
    """Else what it spells would be taken for AWS's: `local` plays AWS, and imports the contract alone."""
    found = rooms_by_name(root)
    shared = {name for name, rooms in found.items() if {LOCAL, CONTRACT} <= rooms.keys()} - aws_names()
    assert shared == {"StateMachineArn", "version-id"}, "metric dimension, S3's event"


def test_every_exception_is_one(root: Path) -> None:
    found = rooms_by_name(root)
    assert {name for name in ALLOWED if len(found[name]) < 2} == set()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('FILE = "evaluation.json"', ["evaluation.json"]),
        ('key = f"{run}/validate/report.json"', ["report.json"]),
        ('environ["MILLRACE_ROUND"]', ["MILLRACE_ROUND"]),
        ('State = {"Variable": "$.live.version.model_name"}', ["model_name"]),
        ('outputs["DataBucket"]', ["DataBucket"]),
        ('alarm = "unscorable-uploads"', ["unscorable-uploads"]),
        ('"""About evaluation.json."""', []),
        ('raise ValueError("evaluation.json is no JSON")', []),
        ('kind = "train"', []),
        ('pattern = "[a-z]+"', []),
    ],
)
def test_what_counts_as_a_name(source: str, names: list[str]) -> None:
    assert list(names_of(source)) == names


def test_a_room_without_source_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    with pytest.raises(AssertionError, match="no source"):
        rooms_by_name(tmp_path)
