"""The interface between a capability and its stack: alarms and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from infra.kit.alarm import AlarmSpec


class Capability(Protocol):
    """Anything that yields its own alarms and outputs, so that its stack needs no list of them."""

    def alarms(self) -> Iterable[AlarmSpec]:
        """The alarms that page about it."""
        ...

    def outputs(self) -> Mapping[str, str]:
        """The stack outputs by which it is found; a key is an `Output` or an `output_key`."""
        ...


class Composite:
    """A capability made of others. It has their alarms and outputs, and its own."""

    parts: Sequence[Capability] = ()
    """The functions, queues, state machines and constructs it is made of."""

    def own_alarms(self) -> Iterable[AlarmSpec]:
        """Alarms about the whole, besides those of its parts."""
        return ()

    def own_outputs(self) -> Mapping[str, str]:
        """Outputs of the whole, besides those of its parts."""
        return {}

    def alarms(self) -> Iterator[AlarmSpec]:
        """Those of its parts and its own."""
        for part in self.parts:
            yield from part.alarms()
        yield from self.own_alarms()

    def outputs(self) -> Mapping[str, str]:
        """Those of its parts and its own.

        Raises:
            ValueError: two of them have the same key.
        """
        outputs = dict(self.own_outputs())
        for part in self.parts:
            if twice := outputs.keys() & part.outputs().keys():
                raise ValueError(f"two parts of {type(self).__name__} put out {', '.join(sorted(twice))}")
            outputs |= part.outputs()
        return outputs
