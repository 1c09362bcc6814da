"""Print the test files that a change since a branch can reach: `python tools/changed_tests.py [BRANCH]`.

A test file is reached by what it imports, directly or not, by the fixtures that it asks for, by files that
it or they name ("model.toml"), and by whatever lies in the folder of which its own is the mirror. What
reaches it otherwise, such as a template that a test deploys, only `make test` finds.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

BRANCH = "main"
TESTS = "tests"
PLUGINS = f"{TESTS}/conftest.py"
"""It names the modules whose fixtures every test may ask for."""
ASKING = ("usefixtures", "getfixturevalue")
EVERYTHING = ("pyproject.toml", "package-lock.json", "requirements-dev.txt", PLUGINS)
"""Files that any test may depend on."""


@dataclass(frozen=True)
class Source:
    """What a Python file imports, the strings in it, and the fixtures it has and asks for."""

    imports: frozenset[str]
    strings: frozenset[str]
    arguments: frozenset[str]
    fixtures: frozenset[str]


def read(text: str, package: str) -> Source:
    """Parse a file of a package."""
    imports, strings, arguments, fixtures = set[str](), set[str](), set[str](), set[str]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            imports.update(f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.add(node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(ASKING):
            constants = (a.value for a in node.args if isinstance(a, ast.Constant))
            arguments.update(value for value in constants if isinstance(value, str))
        elif isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
            if any(decorator.startswith("pytest.fixture") for decorator in decorators):
                fixtures.add(node.name)
            elif not node.name.startswith("test"):
                continue
            arguments.update(argument.arg for argument in node.args.args)
    return Source(frozenset(imports), frozenset(strings), frozenset(arguments), frozenset(fixtures))


class Graph:
    """Which file of a repository needs which."""

    def __init__(self, root: Path, files: Iterable[str]) -> None:
        self.files = sorted(files)
        self._modules = {_module(file): file for file in self.files if file.endswith(".py")}
        self._named: dict[str, list[str]] = {}
        for file in self.files:
            if not file.endswith(".py") and "." in PurePosixPath(file).name:
                self._named.setdefault(PurePosixPath(file).name, []).append(file)
        self._sources = {
            file: read((root / file).read_text(encoding="utf-8"), _package(file))
            for file in self._modules.values()
        }
        self._plugins = self._files_of(self._sources[PLUGINS].strings) if PLUGINS in self._sources else set()
        self._needs = {file: set(self._needed(file)) for file in self._sources}

    def tests(self) -> list[str]:
        """The test files."""
        return [f for f in self.files if f.startswith(f"{TESTS}/") and _is_test(f)]

    def reached(self, changed: Iterable[str]) -> list[str]:
        """The test files that a change of these files can reach."""
        changed = set(changed)
        if changed.intersection(EVERYTHING):
            return self.tests()
        mirrors = {folder for file in changed for folder in self._mirror(file)}
        return [
            test
            for test in self.tests()
            if mirrors.intersection(_folders(test)) or changed.intersection(self._closure(test))
        ]

    def _needed(self, file: str) -> Iterator[str]:
        source = self._sources[file]
        for name in source.imports:
            yield from self._defining(name)
        yield from self._files_of(source.strings)
        for string in source.strings:
            yield from self._named.get(PurePosixPath(string).name, ())
        for argument in source.arguments:
            defining = (other for other in self._visible(file) if argument in self._sources[other].fixtures)
            yield from [*defining][:1]

    def _defining(self, name: str) -> Iterator[str]:
        """The files of a module's packages and of itself, or of the module that a name is of."""
        parts = name.split(".")
        for length in range(1, len(parts) + 1):
            if file := self._modules.get(".".join(parts[:length])):
                yield file

    def _files_of(self, strings: Iterable[str]) -> set[str]:
        return {self._modules[string] for string in strings if "." in string and string in self._modules}

    def _visible(self, file: str) -> Iterator[str]:
        """The files whose fixtures a file of tests may ask for, the nearest first."""
        if file.startswith(f"{TESTS}/"):
            yield file
            nearer = (f"{folder}/conftest.py" for folder in _folders(file))
            yield from (name for name in nearer if name in self._sources and name != PLUGINS)
            yield from self._plugins

    def _closure(self, file: str) -> set[str]:
        found, left = {file}, [file]
        while left:
            new = self._needs.get(left.pop(), set()) - found
            found |= new
            left += new
        return found

    def _mirror(self, file: str) -> Iterator[str]:
        """The nearest folder of tests for a file: of those below a conftest, or of the tests of its room."""
        if file.startswith(f"{TESTS}/"):
            if file.endswith("conftest.py"):
                yield str(PurePosixPath(file).parent)
            return
        inhabited = {folder for test in self.tests() for folder in _folders(test)}
        parents = (f"{TESTS}/{parent}" for parent in PurePosixPath(file).parents if parent.name)
        yield from [folder for folder in parents if folder in inhabited][:1]


def _is_test(file: str) -> bool:
    name = PurePosixPath(file).name
    return name.startswith("test_") and name.endswith(".py")


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _package(file: str) -> str:
    return ".".join(PurePosixPath(file).parent.parts)


def _folders(file: str) -> list[str]:
    """The folders that a file is in, the nearest first."""
    return [str(parent) for parent in PurePosixPath(file).parents if parent.name]


def git(root: Path, *arguments: str) -> list[str]:
    """What git lists, separated by zero bytes.

    Raises:
        subprocess.CalledProcessError: it refuses, having said why.
    """
    told = subprocess.run(["git", *arguments], cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return [name for name in told.stdout.split("\0") if name]


def changed_files(root: Path, branch: str) -> set[str]:
    """The files that differ from where this branch left the other, uncommitted and new ones included."""
    [base] = git(root, "merge-base", branch, "HEAD")
    differing = git(root, "diff", "--name-only", "-z", base.strip(), "--")
    return {*differing, *git(root, "ls-files", "-z", "--others", "--exclude-standard")}


def main(arguments: list[str]) -> int:
    root = Path.cwd()
    try:
        changed = changed_files(root, arguments[0] if arguments else BRANCH)
    except subprocess.CalledProcessError as error:
        return error.returncode
    present = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    graph = Graph(root, (file for file in present if (root / file).is_file()))
    reached = graph.reached(changed)
    print(f"{len(changed)} files changed: {len(reached)} of {len(graph.tests())} test files", file=sys.stderr)  # noqa: T201
    print("\n".join(reached))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
