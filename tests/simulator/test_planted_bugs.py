"""The simulator finds what it is there to find: each of these bugs, once in the code, breaks the law."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from adapters import buckets
from adapters.buckets import S3Bucket
from adapters.errors import AwsError, Transient
from adapters.ordered_map import ordered_map
from adapters.ports import Response, StoredObject
from adapters.queues import SqsQueue
from adapters.sagemaker import Endpoint
from contract.reasons import FileReason, Unscorable
from lambdas.reconcile_uploads import logic as reconciliation
from lambdas.score_upload.handler import handler as score_upload
from scoring.upload.formats.result import ResultWriter
from scoring.upload.outcomes import Outcomes
from tests.simulator.conftest import Trained
from tests.simulator.faults import WEIGHTS, Fault
from tests.simulator.wire import Killed

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]


def acknowledges_before_it_commits(patch: pytest.MonkeyPatch) -> None:
    def hasty(event: dict[str, Any], context: Any) -> dict[str, Any]:
        with suppress(Killed):
            score_upload(event, context)
        return {"batchItemFailures": []}

    patch.setattr("tests.simulator.world.score_upload", hasty)


def reads_the_current_version(patch: pytest.MonkeyPatch) -> None:
    pinned = S3Bucket.open

    def unpinned(self: S3Bucket, key: str, version_id: str | None = None) -> StoredObject:
        return pinned(self, key)

    patch.setattr(S3Bucket, "open", unpinned)


def writes_unconditionally(patch: pytest.MonkeyPatch) -> None:
    def create(self: S3Bucket, key: str, body: Any, content_type: str) -> None:
        data = body if isinstance(body, bytes) else body.read()
        self.replace(key, data, content_type)

    patch.setattr(S3Bucket, "create", create)


def never_looks_for_the_other_outcome(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Outcomes, "settled", lambda self: None)


def leaves_rejected_rows_out(patch: pytest.MonkeyPatch) -> None:
    write = ResultWriter.write

    def choosy(self: ResultWriter, own: bytes, answer: Any, model_version: str) -> None:
        if not answer.rejected:
            write(self, own, answer, model_version)

    patch.setattr(ResultWriter, "write", choosy)


def takes_an_outage_for_a_bad_file(patch: pytest.MonkeyPatch) -> None:
    predict = Endpoint.predict

    def judging(self: Endpoint, body: bytes, content_type: str) -> Response:
        try:
            return predict(self, body, content_type)
        except Transient as error:
            raise Unscorable(code=FileReason.NOT_CSV, message="could not be scored") from error

    patch.setattr(Endpoint, "predict", judging)


def takes_a_broken_download_for_the_end(patch: pytest.MonkeyPatch) -> None:
    readinto = buckets._Body.readinto

    def forgiving(self: buckets._Body, buffer: Any) -> int:
        try:
            return readinto(self, buffer)
        except Transient:
            return 0

    patch.setattr(buckets._Body, "readinto", forgiving)


def names_the_first_model_in_every_row(patch: pytest.MonkeyPatch) -> None:
    write = ResultWriter.write

    def naming(self: ResultWriter, own: bytes, answer: Any, model_version: str) -> None:
        self.__dict__.setdefault("first", model_version)
        write(self, own, answer, self.__dict__["first"])

    patch.setattr(ResultWriter, "write", naming)
    patch.setitem(WEIGHTS, "InvokeEndpoint", {Fault.MODEL_SWAPPED: 1})  # or it takes long to matter


def writes_requests_in_any_order(patch: pytest.MonkeyPatch) -> None:
    def unordered(*arguments: Any, **options: Any) -> Iterator[Any]:
        def answered() -> Iterator[Any]:
            yield from reversed(list(ordered_map(*arguments, **options)))

        return answered()

    patch.setattr("scoring.upload.endpoint.ordered_map", unordered)


def forgets_what_it_could_not_send(patch: pytest.MonkeyPatch) -> None:
    send = SqsQueue.send

    def careless(self: SqsQueue, bodies: Any) -> None:
        with suppress(AwsError):
            send(self, bodies)

    patch.setattr(SqsQueue, "send", careless)


def reconciles_current_versions_only(patch: pytest.MonkeyPatch) -> None:
    is_upload = reconciliation._is_upload
    seen: set[str] = set()

    def first_of_its_key(version: Any) -> bool:
        newest = version.key not in seen
        seen.add(version.key)
        return newest and is_upload(version)

    patch.setattr(reconciliation, "_is_upload", first_of_its_key)


@pytest.mark.parametrize(
    ("plant", "kinds", "options"),
    [
        (acknowledges_before_it_commits, {"lost"}, {}),
        (reads_the_current_version, {"wrong", "lost"}, {}),
        (writes_unconditionally, {"doubled"}, {}),
        (never_looks_for_the_other_outcome, {"doubled"}, {}),
        (leaves_rejected_rows_out, {"wrong"}, {}),
        (takes_an_outage_for_a_bad_file, {"wrong"}, {}),
        (takes_a_broken_download_for_the_end, {"wrong"}, {}),
        (names_the_first_model_in_every_row, {"wrong"}, {"long_share": 1, "uploads": 4}),
        (writes_requests_in_any_order, {"wrong"}, {"long_share": 1, "uploads": 2}),
        (forgets_what_it_could_not_send, {"lost"}, {"faults": 0.5}),
        (reconciles_current_versions_only, {"lost"}, {}),
    ],
)
def test_a_planted_bug_is_found(
    trained: Trained,
    monkeypatch: pytest.MonkeyPatch,
    plant: Plant,
    kinds: set[str],
    options: dict[str, Any],
) -> None:
    plant(monkeypatch)
    for seed in range(12):
        report = trained.simulate(f"bug/{seed}", **{"uploads": 25, "faults": 0.3, **options})
        if report.violations:
            break
    assert kinds & {violation.kind for violation in report.violations}
