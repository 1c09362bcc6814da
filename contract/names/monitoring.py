"""Keys and documents under `monitoring/` in the artifacts bucket.

inbox/<digest>.json                 new results, as `collect_predictions` was told of them; none of them where
                                    only time has to pass until there is something to judge
windows/<version>/<start>.json      counts of what one model version predicted from then on
versions/<version>/detection.json   what its windows have added up to so far
versions/<version>/report.json      what people are told of it, also as `report.html`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Self

PREFIX = "monitoring/"
INBOX_PREFIX = f"{PREFIX}inbox/"
WINDOWS_PREFIX = f"{PREFIX}windows/"
VERSIONS_PREFIX = f"{PREFIX}versions/"


@dataclass(frozen=True, kw_only=True, order=True)
class NewResult:
    """One object that holds predictions. `time` is ISO 8601: when it was written."""

    key: str
    version_id: str
    time: str


def inbox_document(results: Sequence[NewResult]) -> str:
    """The document of some new results, equal for equal ones in any order."""
    return json.dumps([asdict(result) for result in sorted(set(results))], ensure_ascii=False)


def inbox_key(document: str) -> str:
    """Key of an inbox document, which its content decides: told of twice, it is there once."""
    return f"{INBOX_PREFIX}{hashlib.sha256(document.encode()).hexdigest()[:32]}.json"


def read_inbox(document: str | bytes) -> list[NewResult]:
    """The new results of a document.

    Raises:
        ValueError: it is none.
    """
    try:
        return [NewResult(**result) for result in json.loads(document)]
    except TypeError as error:
        raise ValueError(f"no document of new results: {error}") from error


@dataclass(frozen=True)
class Version:
    """A model version by its number in the group."""

    number: int

    @classmethod
    def of(cls, model_version: str) -> Self:
        """The version of a result, such as `millrace-prod-tumor/3`.

        Raises:
            ValueError: it names none.
        """
        number = model_version.rpartition("/")[2]
        if not (number.isascii() and number.isdecimal()):
            raise ValueError(f"{model_version!r} names no model version")
        return cls(int(number))

    @property
    def windows(self) -> str:
        """Prefix of its windows."""
        return f"{WINDOWS_PREFIX}{self.number}/"

    def window(self, name: str) -> str:
        """Key of the window of a name."""
        return f"{self.windows}{name}.json"

    @property
    def detection(self) -> str:
        """Key of what its windows have added up to."""
        return f"{VERSIONS_PREFIX}{self.number}/detection.json"

    @property
    def report(self) -> str:
        """Key of the report's document."""
        return f"{VERSIONS_PREFIX}{self.number}/report.json"
