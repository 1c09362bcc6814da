"""What the two jobs of the batch path share: which upload, where its parts lie, what to say at the end.

`contract.names.batch` says what lies under an execution's folder.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from adapters.errors import AlreadyExists
from adapters.job_buckets import RETRY, JobBucket
from adapters.observability import EmbeddedMetrics
from adapters.ports import StoredObject
from container.errors import PlatformError
from container.paths import Paths
from contract import layout, serving
from contract.events import Upload
from contract.names.batch import ANSWERS, PARTS, ROUNDS, SPLIT_FILE, Outcome, exit_message
from contract.names.jobs import Variable
from contract.parts import PART, Part
from contract.reasons import FileReason, Unscorable
from scoring.upload.outcomes import Outcomes
from tabular.formats.detection import Format
from tabular.formats.streams import Readable

MAX_BYTES = 512 * 1024**3
"""Of an upload, as it is stored and decompressed: its result must fit in an upload of 10,000 parts."""
COPY_BYTES = 1024 * 1024
ANSWERED = ".out"
"""What SageMaker appends to the name of a part."""


_ENDINGS = {serving.CSV: "csv", PART: "part"}


class NamedPart(NamedTuple):
    """A part, and how many rows it has."""

    name: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Split:
    """What the upload is, all parts in order, and of the model what the result's columns follow from.

    `first` is what the first part says of itself.
    """

    format: Format
    compressed: bool
    parts: Sequence[NamedPart]
    first: Part | None
    features: Sequence[str]
    problem: str
    classes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One execution's upload and places. `folder` is a prefix in `artifacts`, with its slash."""

    upload: Upload
    artifacts: JobBucket
    folder: str
    outcomes: Outcomes

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Batch:
        """Read the job's variables, and the document that names the upload.

        Raises:
            PlatformError: a variable is missing.
        """
        try:
            place = urlsplit(environ[Variable.BATCH_FOLDER])
            results = environ[Variable.RESULTS_BUCKET]
            which = (environ[Variable.ENVIRONMENT], environ[Variable.MODEL])
        except KeyError as missing:
            raise PlatformError(f"the state machine did not set {missing}") from missing
        artifacts, folder = JobBucket(place.netloc), place.path.strip("/") + "/"
        upload = Upload.from_json(artifacts.read(layout.batch_upload_key(folder.split("/")[1])))
        outcomes = Outcomes(
            upload=upload,
            results=JobBucket(results),
            metrics=EmbeddedMetrics(*which),
            retry=RETRY,
        )
        return cls(upload=upload, artifacts=artifacts, folder=folder, outcomes=outcomes)

    def open(self) -> StoredObject:
        """The upload, to be read once. Raises NotFound where its owner has deleted it."""
        return JobBucket(self.upload.bucket).open(self.upload.key, self.upload.version_id)

    def put_part(self, body: bytes, content_type: str) -> str:
        """Keep a request as a part, unless it is there; its name."""
        name = part_name(body, content_type)
        self.keep(f"{PARTS}/{name}", body)
        return name

    def keep(self, name: str, body: bytes) -> None:
        """Write a file of this execution. Written again, by a job that is repeated, it would be the same."""
        with suppress(AlreadyExists):
            self.artifacts.create(self.folder + name, body, "application/octet-stream")

    def request_parts(self, parts: Iterable[str], round_number: int) -> None:
        """Write the manifest of a round."""
        uri = f"s3://{self.artifacts.name}/{self.folder}{PARTS}/"
        self.keep(f"{ROUNDS}/{round_number}", json.dumps([{"prefix": uri}, *parts]).encode())

    def keep_split(self, split: Split) -> None:
        """Write what was split."""
        self.keep(SPLIT_FILE, json.dumps(asdict(split)).encode())

    def read_split(self) -> Split:
        """What was split."""
        document = json.loads(self.artifacts.read(self.folder + SPLIT_FILE))
        document["format"] = Format(document["format"])
        document["parts"] = [NamedPart(*part) for part in document["parts"]]
        document["first"] = document["first"] and Part(**document["first"])
        return Split(**document)

    def answer(self, body: bytes, content_type: str) -> bytes:
        """The model server's answer to a request that was a part. Raises NotFound if it was none."""
        return self.artifacts.read(self.answer_key(part_name(body, content_type)))

    def answer_key(self, name: str) -> str:
        """Key of the answer to a part."""
        return f"{self.folder}{ANSWERS}/{name}{ANSWERED}"

    def unanswered(self, parts: Iterable[NamedPart]) -> list[str]:
        """The parts that have no answer yet."""
        answered = set(self.artifacts.names(f"{self.folder}{ANSWERS}/"))
        names = dict.fromkeys(part.name for part in parts)
        return [name for name in names if name + ANSWERED not in answered]


def part_name(body: bytes, content_type: str) -> str:
    """Name of the part that holds a request: the request decides it, so that no answer can be mistaken."""
    return f"{hashlib.sha256(body).hexdigest()[:32]}.{_ENDINGS[content_type]}"


@contextmanager
def on_volume(paths: Paths) -> Iterator[None]:
    """Temporary files lie on the job's volume, whose size is a setting, while the block lasts."""
    before, tempfile.tempdir = tempfile.tempdir, str(paths.scratch)
    try:
        yield
    finally:
        tempfile.tempdir = before


@contextmanager
def on_disk(stream: Readable) -> Iterator[Path]:
    """A stream's bytes as a file, for a format that is not read from its beginning to its end.

    Raises:
        Unscorable: there are none.
    """
    with tempfile.NamedTemporaryFile() as file:
        while data := stream.read(COPY_BYTES):
            file.write(data)
        if not file.tell():
            raise Unscorable(code=FileReason.EMPTY_FILE, message="The file has no bytes.")
        file.flush()
        yield Path(file.name)


def say(file: Path, outcome: Outcome, **facts: object) -> None:
    """Leave the job's exit message, by which the state machine decides how to go on."""
    file.write_text(exit_message(outcome, **facts), encoding="utf-8")
