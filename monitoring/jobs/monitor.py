"""Count what is new of the predictions, and judge each model version by what they add up to.

What is new lies in the inbox (`contract.names.monitoring`). Everything this job writes can be written
again: a window holds the names of the results that are in it, a detection the last window that was
judged, and the inbox is emptied last. So a run that ends in the middle is made good by the next.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from adapters.errors import AlreadyExists, NotFound
from adapters.job_buckets import JobBucket
from adapters.observability import EmbeddedMetrics
from adapters.sagemaker import ModelRegistry
from container.errors import PlatformError
from container.paths import Paths
from contract import artifact
from contract.names.jobs import Variable
from contract.names.metrics import Dimension, Metric
from contract.names.monitoring import (
    INBOX_PREFIX,
    WINDOWS_PREFIX,
    NewResult,
    Version,
    inbox_document,
    inbox_key,
    read_inbox,
)
from contract.reasons import Unscorable
from contract.schema import Contract
from monitoring.baseline import Baseline
from monitoring.detector import Detection, Settings, Verdict, judge
from monitoring.results import predicted, versions
from monitoring.windows import Window, read_start, start_of
from scoring.server.sealed_model import unpack

log = logging.getLogger(__name__)

GRACE = timedelta(minutes=2)
"""The time after its end for which a window waits for late results before it is judged."""
IN_USE = 24
"""A version that made no prediction for so many windows is no more looked at."""
JSON = "application/json"


@dataclass(frozen=True)
class Model:
    """The training data of a model version, as its artifact describes it."""

    contract: Contract
    baseline: Baseline


class Judged(NamedTuple):
    """The sum of a version's windows, of new `rows`; `waiting`: one is not over yet."""

    detection: Detection
    rows: int
    waiting: bool


class Registry(Protocol):
    """As much of the model registry as the job asks."""

    def describe(self, model_package_arn: str) -> Mapping[str, Any]:
        """A package as SageMaker describes it."""


class Monitor:
    """One run: the buckets it reads and writes, and its settings."""

    def __init__(
        self,
        *,
        results: JobBucket,
        artifacts: JobBucket,
        registry: Registry,
        group_arn: str,
        settings: Settings,
        scratch: Path,
    ) -> None:
        """`group_arn` is the packages' ARN but for the version at its end."""
        self._results = results
        self._artifacts = artifacts
        self._registry = registry
        self._group_arn = group_arn
        self._settings = settings
        self._scratch = scratch
        self.model = cache(self._model)

    def count(self, result: NewResult) -> set[Version]:
        """Count a result's rows into the windows of the versions that made them; those versions."""
        source = f"{result.key}#{result.version_id}"
        path = self._scratch / Path(result.key).name
        try:
            stored = self._results.open(result.key, result.version_id)
        except NotFound:
            log.warning("%s is gone: its predictions are not counted", source)
            return set()
        with closing(stored.stream), path.open("wb") as file:
            shutil.copyfileobj(stored.stream, file)
        try:
            return {self._count(path, source, name, stored.last_modified) for name in versions(path)}
        except Unscorable as why:
            raise PlatformError(f"{source} is no result of this project: {why}") from why
        finally:
            path.unlink()

    def _count(self, path: Path, source: str, name: str, moment: datetime) -> Version:
        version = Version.of(name)
        model = self.model(version)
        minutes = self._settings.every_minutes
        window = self.window(version, name, start_of(moment, minutes))
        if source not in window.inputs:
            part = Window(version=name, start=window.start, minutes=minutes)
            for number, rows in enumerate(
                predicted(path, name, model.contract, list(model.baseline.predictions))
            ):
                counts = model.baseline.count(rows.columns)
                part = part.with_rows(str(number), rows.rows, rows.rejected, counts)
            window = window.with_rows(source, part.rows, part.rejected, part.counts)
            self._artifacts.replace(version.window(window.name), window.to_json().encode(), JSON)
        return version

    def window(self, version: Version, name: str, start: datetime) -> Window:
        """The window of a version that begins then; an empty one if nothing was counted yet."""
        empty = Window(version=name, start=start, minutes=self._settings.every_minutes)
        try:
            return Window.from_json(self._artifacts.read(version.window(empty.name)))
        except NotFound:
            return empty

    def judge(self, version: Version, now: datetime) -> Judged | None:
        """Judge the version's windows that are over, and what they add up to; None if it is out of use."""
        names = sorted(name.removesuffix(".json") for name in self._artifacts.names(version.windows))
        in_use = IN_USE * timedelta(minutes=self._settings.every_minutes)
        if not names or read_start(names[-1]) + in_use < now:
            return None
        known = self.detection(version)
        ahead = [name for name in names if known.judged is None or name > known.judged]
        windows = [Window.from_json(self._artifacts.read(version.window(name))) for name in ahead]
        over = [window for window in windows if window.end + GRACE <= now]
        found, small = judge(self.model(version).baseline, over, known, self._settings)
        log.info("version %d: %s; %d windows are too small yet", version.number, found.verdict, len(small))
        self._artifacts.replace(version.detection, json.dumps(found.to_json()).encode(), JSON)
        return Judged(found, rows=sum(window.rows for window in over), waiting=len(over) < len(windows))

    def detection(self, version: Version) -> Detection:
        """Return what is known of a version."""
        try:
            return Detection.from_json(json.loads(self._artifacts.read(version.detection)))
        except NotFound:
            return Detection()

    def _model(self, version: Version) -> Model:
        package: Mapping[str, Any] = self._registry.describe(f"{self._group_arn}/{version.number}")
        uri = str(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
        key = uri.removeprefix(f"s3://{self._artifacts.name}/")
        folder = self._scratch / f"version-{version.number}"
        folder.mkdir()
        archive = folder / artifact.ARCHIVE
        with closing(self._artifacts.open(key).stream) as stream, archive.open("wb") as file:
            shutil.copyfileobj(stream, file)
        unpack(archive, folder / "model")
        return Model(
            Contract.from_json((folder / "model" / artifact.CONTRACT).read_bytes()),
            Baseline.from_json((folder / "model" / artifact.BASELINE).read_bytes()),
        )


def run(paths: Paths, environ: Mapping[str, str]) -> None:
    """Job without inputs: what is new lies in the artifacts bucket.

    Raises:
        PlatformError: a variable is missing, or something in the bucket is not what it should be.
    """
    try:
        settings = Settings(
            false_alarms_per_year=float(environ[Variable.FALSE_ALARMS_PER_YEAR]),
            least_change=float(environ[Variable.LEAST_CHANGE]),
            every_minutes=int(environ[Variable.EVERY_MINUTES]),
        )
        artifacts = JobBucket(environ[Variable.ARTIFACTS_BUCKET])
        monitor = Monitor(
            results=JobBucket(environ[Variable.RESULTS_BUCKET]),
            artifacts=artifacts,
            registry=ModelRegistry(),
            group_arn=environ[Variable.PACKAGES_ARN],
            settings=settings,
            scratch=paths.scratch,
        )
        metrics = EmbeddedMetrics(environ[Variable.ENVIRONMENT], environ[Variable.MODEL])
    except KeyError as missing:
        raise PlatformError(f"the state machine did not set {missing}") from missing
    inbox = [f"{INBOX_PREFIX}{name}" for name in artifacts.names(INBOX_PREFIX)]
    results = sorted({result for key in inbox for result in read_inbox(artifacts.read(key))})
    log.info("%d new results", len(results))
    waiting = False
    counted = {version for result in results for version in monitor.count(result)}
    listed = {Version.of(name) for name in artifacts.folders(WINDOWS_PREFIX)} | counted
    for version in sorted(listed, key=lambda each: each.number):
        judged = monitor.judge(version, datetime.now(UTC))
        if judged is None:
            continue
        waiting |= judged.waiting
        metrics.emit(
            {
                Metric.DRIFTED: float(judged.detection.verdict is Verdict.DRIFTED),
                Metric.DRIFT_EVIDENCE: judged.detection.evidence.total,
                Metric.ROWS_MONITORED: judged.rows,
            },
            {Dimension.VERSION: str(version.number)},
        )
    for key in inbox:
        artifacts.withdraw(key)
    if waiting:
        # The next run has something to do even where no result comes.
        note = inbox_document([])
        with suppress(AlreadyExists):
            artifacts.create(inbox_key(note), note.encode(), JSON)
