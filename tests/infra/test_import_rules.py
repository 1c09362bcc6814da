"""Who may import whom, how full a folder may be, and what modules may be called: read from the source.

Imports within functions count.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

JOB_ROOMS = {"tabular", "metrics", "scoring", "monitoring"}
FOLDERS = JOB_ROOMS | {
    "contract", "adapters", "container", "releasing", "training", "lambdas", "infra", "models", "local", "cli", "benchmarks", "tests",
}  # fmt: skip
MAY_IMPORT = {
    "contract": set(),
    "adapters": {"contract"},
    "container": {"contract"},
    "tabular": {"contract", "container"},
    "metrics": {"contract", "tabular"},
    "scoring": {"contract", "container", "adapters", "tabular", "metrics"},
    "monitoring": {"contract", "container", "adapters", "tabular", "metrics", "scoring.server"},
    "releasing": {"contract", "metrics.confidence_sequences"},
    "training": {"contract", "container"} | JOB_ROOMS,
    "lambdas": {"contract", "adapters", "tabular.formats", "scoring.upload", "releasing"},
    "models": {"contract", "training"},
    "infra": {"contract"},
    "local": {"contract"},
    "cli": FOLDERS - {"tests", "benchmarks"},
    "benchmarks": FOLDERS - {"tests"},
}
"""Besides itself: rooms, or packages of them. `training` loads a model's own folder by its name, which is no
import statement, and so does the image's entry point with its jobs."""

AWS = {"boto3", "botocore", "aiobotocore"}


def imports(source: str, package: str) -> Iterator[str]:
    """The modules that a file of a package imports, by their full names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported(root: Path, folder: str) -> dict[Path, set[str]]:
    """What each file of a folder imports. Fails where there is no file to look at."""
    files = sorted((root / folder).rglob("*.py"))
    assert files, f"there is no source in {folder}/"
    return {
        path.relative_to(root): set(imports(path.read_text(), ".".join(path.relative_to(root).parent.parts)))
        for path in files
    }


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def within(name: str, packages: set[str]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT.keys() - {"models"}))
def test_a_folder_imports_only_what_it_may(root: Path, folder: str) -> None:
    for path, names in imported(root, folder).items():
        ours = {name for name in names if within(name, FOLDERS)}
        assert {name for name in ours if not within(name, MAY_IMPORT[folder] | {folder})} == set(), path


def test_of_scoring_only_the_batch_path_calls_aws(root: Path) -> None:
    for path, names in imported(root, "scoring/server").items():
        assert not {name for name in names if within(name, {"adapters", "scoring.upload"})}, path


def test_models_import_only_what_they_may(root: Path) -> None:
    for path in (root / "models").rglob("*.py"):
        names = set(imports(path.read_text(), "models"))
        assert tops(names) & FOLDERS <= MAY_IMPORT["models"] | {"models"}, path


def test_the_contract_needs_python_alone(root: Path) -> None:
    for path, names in imported(root, "contract").items():
        assert tops(names) - {"contract"} <= sys.stdlib_module_names, path


@pytest.mark.parametrize("place", ["releasing", "metrics/confidence_sequences.py"])
def test_the_judge_needs_python_alone(root: Path, place: str) -> None:
    """Lambda has no numpy."""
    allowed = sys.stdlib_module_names | {"contract", "metrics", "releasing"}
    path = root / place
    for source in [path] if path.is_file() else path.rglob("*.py"):
        assert tops(set(imports(source.read_text(), place))) <= allowed, source


def test_only_adapters_call_aws(root: Path) -> None:
    for folder in sorted(FOLDERS - {"adapters", "cli", "local", "infra", "models", "benchmarks", "tests"}):
        for path, names in imported(root, folder).items():
            assert not tops(names) & AWS, path


def test_one_function_never_imports_anothers(root: Path) -> None:
    for path, names in imported(root, "lambdas").items():
        mine = {"lambdas." + path.parts[1]}
        assert not {name for name in names if within(name, {"lambdas"}) and not within(name, mine)}, path


def test_logic_knows_neither_aws_nor_the_environment(root: Path) -> None:
    found = sorted((root / "lambdas").glob("*/logic.py"))
    assert len(found) == len(list((root / "lambdas").glob("*/handler.py"))) > 4
    for path in found:
        assert not tops(set(imports(path.read_text(), "lambdas"))) & (AWS | {"os"}), path


def test_nothing_imports_the_command_line(root: Path) -> None:
    for folder in sorted(FOLDERS - {"cli", "benchmarks", "tests", "models"}):
        for path, names in imported(root, folder).items():
            assert "cli" not in tops(names), path


def test_relative_imports_are_read_too() -> None:
    assert set(imports("from . import a\nfrom .b import c\nfrom .. import infra", "lambdas.x")) == {
        "lambdas.x.a",
        "lambdas.x.b.c",
        "lambdas.infra",
    }
    assert set(imports("def f():\n    import infra.app", "lambdas")) == {"infra.app"}


SHARED_NAMES = {
    "handler": "of a function: its entry point",
    "logic": "of a function: what it does, without AWS",
    "settings": "of a function: its environment variables",
    "construct": "of a capability: its construct",
    "definition": "of a capability: its state machine",
    "roles": "of a capability: its roles",
    "errors": "of a room: what it raises",
    "command": "of a command that has a folder: the command itself",
    "operations": "of a resource of SageMaker's: what its API does",
    "plan": "of a job of SageMaker's: what it is asked to do",
    "run": "of a job of SageMaker's: how it is done",
}
"""Base names that sibling packages share, since they are the same part of each."""
MAX_MODULES = 16


def project(root: Path) -> dict[str, Path]:
    """The file of each module and package of the rooms, by its full name."""
    found: dict[str, Path] = {}
    for folder in sorted(FOLDERS - {"models", "tests"}):
        for path in sorted((root / folder).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert len(found) > 300
    return found


def import_graph(root: Path) -> dict[str, set[str]]:
    """The modules that each module imports. `__main__` is outermost: nothing can import it."""
    modules = project(root)
    return {
        name: {_module(each, modules) for each in imports(path.read_text(), name)} & modules.keys() - {name}
        for name, path in modules.items()
        if path.name != "__main__.py"
    }


def _module(name: str, modules: Mapping[str, Path]) -> str:
    """The module that an imported name is, or is in."""
    return name if name in modules else name.rpartition(".")[0]


def package_of(name: str, modules: Mapping[str, Path]) -> str:
    return name if modules[name].name == "__init__.py" else name.rpartition(".")[0]


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """The names on one circle of a graph, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_has_its_rule(root: Path) -> None:
    rooms = {path.parent.name for path in root.glob("*/__init__.py")} - {"tests", "tools"}
    assert rooms == MAY_IMPORT.keys() - {"models"}


def test_no_circle_among_modules(root: Path) -> None:
    assert cycle(import_graph(root)) == []


def test_no_circle_among_packages(root: Path) -> None:
    """A package is a folder: what its modules share with those of folders in it lies in another of these."""
    modules, packages = project(root), defaultdict[str, set[str]](set)
    for name, names in import_graph(root).items():
        mine = package_of(name, modules)
        packages[mine] |= {package_of(each, modules) for each in names} - {mine}
    assert cycle(packages) == []


def test_circles_are_seen() -> None:
    assert set(cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}
    assert cycle({"a": {"b"}, "b": {"c"}}) == []


def test_a_folder_is_seen_at_a_glance(root: Path) -> None:
    folders = Counter(path.parent for path in project(root).values() if path.name != "__init__.py")
    crowded = {folder.relative_to(root).as_posix(): n for folder, n in folders.items() if n > MAX_MODULES}
    assert crowded == {}, f"more than {MAX_MODULES} modules: make folders of what belongs together"


def test_siblings_have_modules_of_other_names(root: Path) -> None:
    """Else a name says too little to be found by: it is one thing here, and another next door."""
    homes = defaultdict[tuple[Path, str], set[str]](set)
    for path in project(root).values():
        if path.stem not in ("__init__", "__main__"):
            homes[path.parent.parent, path.stem].add(path.parent.name)
    twice = {name: sorted(packages) for (_, name), packages in homes.items() if len(packages) > 1}
    assert {name: packages for name, packages in twice.items() if name not in SHARED_NAMES} == {}
    assert twice.keys() >= SHARED_NAMES.keys(), "an exception that is none any more"
