"""A dataset version: which bytes a model was trained on, pinned for ever, and named by them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, order=True, kw_only=True)
class PinnedObject:
    """One uploaded object at one version. `sha256` is of its bytes, hexadecimal; `size` in bytes."""

    key: str
    version_id: str
    sha256: str
    size: int

    @property
    def copy_name(self) -> str:
        """Name of its pinned copy: unique in the dataset, ending as the upload does."""
        stem = self.key.rsplit("/", 1)[-1]
        return f"{hashlib.sha256(self.key.encode()).hexdigest()[:8]}-{stem}"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The objects of one dataset, by key."""

    objects: tuple[PinnedObject, ...]

    @classmethod
    def of(cls, objects: Iterable[PinnedObject]) -> Self:
        return cls(objects=tuple(sorted(objects)))

    def to_json(self) -> str:
        """The document that says where the bytes came from, one line a fact."""
        return json.dumps({"objects": [asdict(o) for o in self.objects]}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        return cls.of(PinnedObject(**o) for o in json.loads(text)["objects"])

    @property
    def version(self) -> str:
        """SHA-256 of the keys and what lies under them, hexadecimal.

        S3's version ids are no part of it: the same bytes uploaded again are the same version.
        Keys are: they say in which format a file is read, and in which order the files are.
        """
        content = [[each.key, each.sha256] for each in self.objects]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()
