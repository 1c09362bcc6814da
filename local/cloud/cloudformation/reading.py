"""Which properties of a resource its provisioner reads: what it does not read it drops without a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_NOTHING: Any = object()


class Read(dict[str, Any]):
    """A mapping that knows which of its members were read, and so do the mappings in it."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__({name: reading(value) for name, value in content.items()})
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._read.add(name)
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self._read.add(name)
        return super().pop(name, *default)

    def __contains__(self, name: object) -> bool:
        self._read.add(str(name))
        return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        self._read.update(super().keys())
        return super().__iter__()

    def items(self) -> Any:
        self._read.update(super().keys())
        return super().items()

    def values(self) -> Any:
        self._read.update(super().keys())
        return super().values()

    def copy(self) -> Read:
        self._read.update(super().keys())
        return self

    def unread(self, path: str = "") -> Iterator[str]:
        """The paths of members that nobody read.

        A mapping within, of which nothing was read, was kept whole by whoever read its name.
        """
        for name, value in dict.items(self):
            where = f"{path}.{name}".lstrip(".")
            if name in self._read:
                yield from _unread(value, where)
            elif self._read or not path:
                yield where


def peek(content: dict[str, Any], *path: str) -> Any:
    """A member of members, or None, without its counting as read."""
    value: Any = content
    for name in path:
        value = dict.get(value, name) if isinstance(value, dict) else None
    return value


def reading(value: T) -> T:
    """The same, with each mapping in it as one that knows what was read."""
    if isinstance(value, dict):
        return Read(value)  # type: ignore[return-value]
    if isinstance(value, list):
        return [reading(item) for item in value]  # type: ignore[return-value]
    return value


def _unread(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, Read):
        yield from value.unread(where)
    elif isinstance(value, list):
        for item in value:
            yield from _unread(item, where)
