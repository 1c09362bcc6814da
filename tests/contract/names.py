"""The names that stand in the rooms' string literals: what has the form of one, and where."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import botocore.session

ROOMS = (
    "adapters", "cli", "container", "contract", "governance", "infra", "ingestion", "lambdas", "local",
    "metrics", "monitoring", "releasing", "scoring", "tabular", "training",
)  # fmt: skip
"""Those that exist are read."""

NAME = re.compile(
    r"[A-Za-z][\w-]*\.(?:csv|html|json|jsonl|md|onnx|parquet|tar\.gz|toml)"  # a file
    r"|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"  # a variable
    r"|(?:[A-Z][a-z0-9]+){2,}"  # a parameter, an output, a metric
    r"|[a-z][a-z0-9]+(?:_[a-z0-9]+)+"  # a member of a document
    r"|[a-z][a-z0-9]+(?:-[a-z0-9]+)+"  # an alarm, an estimator
)
"""What a name looks like: more than one word, run together in any of the ways that names are."""

AWS_SERVICES = (
    "application-autoscaling", "cloudformation", "cloudwatch", "ecr", "events", "iam", "kms", "lambda", "logs",
    "s3", "sagemaker", "sagemaker-runtime", "sns", "sqs", "ssm", "stepfunctions", "sts",
)  # fmt: skip


def names_of(source: str) -> Iterator[str]:
    """The names in a file's string literals, f-strings included; docstrings and sentences have none."""
    tree = ast.parse(source)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield from _names_in(node.value)


def _names_in(text: str) -> Iterator[str]:
    """Of a path or a JSONPath each part; of a text with spaces none."""
    if re.search(r"\S\s+\S", text):
        return
    for part in re.split(r"[^\w.-]+", text):
        if part.endswith(".py") or part.partition(".")[0] in ROOMS:
            continue  # a module's path or name: a wrong one is not found
        whole = NAME.fullmatch(part)
        yield from (one for one in ([part] if whole else part.split(".")) if NAME.fullmatch(one))


def rooms_by_name(root: Path) -> Mapping[str, Mapping[str, set[str]]]:
    """The files of each room in which each name stands. Fails for a room without source."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for room in filter(lambda name: (root / name).exists(), ROOMS):
        files = sorted((root / room).rglob("*.py"))
        assert files, f"there is no source in {room}/"
        for path in files:
            for name in names_of(path.read_text()):
                found[name][room].add(path.relative_to(root).as_posix())
    return found


def aws_names(services: Iterable[str] = AWS_SERVICES) -> frozenset[str]:
    """Every operation, shape, member and value that botocore's models of AWS have."""
    loader = botocore.session.get_session().get_component("data_loader")
    found: set[str] = set()
    for service in services:
        model = loader.load_service_model(service, "service-2")
        found |= {service, *model["operations"], *map(botocore.xform_name, model["operations"])}
        for name, shape in model["shapes"].items():
            found |= {name, *shape.get("members", {}), *shape.get("enum", [])}
    assert len(found) > 10_000
    return frozenset(found)
