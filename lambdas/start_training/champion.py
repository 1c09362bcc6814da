"""The model that is live, pinned for a run: a challenger is compared with it, on the same rows.

A champion lies under a prefix that is named by what it is. Whoever pins it, however often, writes the
same objects; `champion.json` comes last, so that a champion that has one is whole.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.errors import AlreadyExists, NotFound
from adapters.ports import Bucket, Parameter, Registry
from contract import layout
from contract.artifact import ARCHIVE
from contract.layout import CHAMPION_FILE
from contract.names.live import Live

log = logging.getLogger(__name__)


class ChampionLost(Exception):  # noqa: N818 - it names what is the case
    """The live model's package is not registered any more, or its artifact not where the package says."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: release a version that has one (docs/runbooks/pipeline-failed.md)")


@dataclass(frozen=True, kw_only=True)
class Champions:
    """The place of the live model, and of its copies. `live` holds what the release recorded."""

    live: Parameter
    registry: Registry
    artifacts: Bucket

    def pin(self) -> str:
        """Pin the model that is live now, or that none is; the prefix where it lies.

        Raises:
            ChampionLost: its package or its artifact is gone.
        """
        released = self._released()
        arn = released.get(Live.MODEL_PACKAGE_ARN, "")
        uri = self._artifact_uri(arn) if arn else ""
        prefix = layout.champion_prefix(arn, uri)
        if not self.artifacts.exists(prefix + CHAMPION_FILE):
            if uri:
                self._copy(uri, prefix + ARCHIVE)
            self._say(
                prefix,
                {Live.MODEL_VERSION: released.get(Live.MODEL_VERSION), Live.MODEL_PACKAGE_ARN: arn or None},
            )
        log.info("champion", extra={Live.MODEL_VERSION: released.get(Live.MODEL_VERSION), "prefix": prefix})
        return prefix

    def _released(self) -> Mapping[str, str]:
        try:
            released: dict[str, str] = json.loads(self.live.read())
        except NotFound:
            return {}  # before the first release
        return released

    def _artifact_uri(self, arn: str) -> str:
        try:
            package = self.registry.describe(arn)
        except NotFound as error:
            raise ChampionLost(f"the live model's package {arn} is gone") from error
        [container] = package["InferenceSpecification"]["Containers"]
        return str(container["ModelDataUrl"])

    def _copy(self, uri: str, key: str) -> None:
        parts = urlsplit(uri)
        versions = self.artifacts.current_versions(parts.path.removeprefix("/"))
        source = next((version for version in versions if version.key == parts.path.removeprefix("/")), None)
        if parts.netloc != self.artifacts.name or source is None:
            raise ChampionLost(f"the live model's artifact {uri} is not in the bucket {self.artifacts.name}")
        self.artifacts.copy(source, key)

    def _say(self, prefix: str, document: Mapping[str, Any]) -> None:
        try:
            self.artifacts.create(
                prefix + CHAMPION_FILE, json.dumps(document, indent=2).encode(), "application/json"
            )
        except AlreadyExists:
            log.info("already pinned", extra={"prefix": prefix})
