"""The batch path's jobs: whatever the format, the result is the one that the model server would give."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from adapters import clients
from adapters.buckets import S3Bucket
from adapters.job_buckets import RETRY
from container.paths import Paths
from contract import layout
from contract.events import Upload
from contract.parts import PART
from scoring.batch import assemble, split
from scoring.server.parts import PartScorer
from scoring.server.predictor import Predictor
from scoring.upload.score import score_file
from tests.fixtures.real_model import VERSION, RealModel
from tests.fixtures.tables import mixed, to_csv

pytestmark = pytest.mark.slow

ROWS = 2500


@dataclass
class Account:
    """Buckets, a sealed model, and the executions of the state machine's jobs on one upload at a time."""

    client: Any
    folder: Path
    predictor: Predictor
    parts: PartScorer
    upload: Upload | None = None
    round: int = 1

    def put(self, key: str, body: bytes) -> None:
        version = self.client.put_object(Bucket="data", Key=key, Body=body)["VersionId"]
        self.upload = Upload(bucket="data", key=key, version_id=version)
        document = json.dumps(asdict(self.upload))
        batch = layout.batch_id(key, version)
        self.client.put_object(Bucket="artifacts", Key=layout.batch_upload_key(batch), Body=document)
        self.place, self.round = f"{layout.BATCH_PREFIX}{batch}/run", 1

    def run(self, job: Any) -> dict[str, Any]:
        """What a job says at its end."""
        paths = Paths(self.folder)
        job.run(
            paths,
            {
                "MILLRACE_BATCH_FOLDER": f"s3://artifacts/{self.place}",
                "MILLRACE_RESULTS_BUCKET": "results",
                "MILLRACE_ENVIRONMENT": "test",
                "MILLRACE_MODEL": "mixed",
                "MILLRACE_BATCH_ROUND": str(self.round),
                "MILLRACE_MODEL_VERSION": VERSION,
            },
        )
        said: dict[str, Any] = json.loads(paths.processing_message.read_text())
        return said

    def asked(self) -> dict[str, bytes]:
        """The parts that this round's manifest names."""
        first, *names = json.loads(self.read("artifacts", f"{self.place}/rounds/{self.round}"))
        prefix = first["prefix"].removeprefix("s3://artifacts/")
        return {name: self.read("artifacts", prefix + name) for name in names}

    def transform(self, content_type: str, *, but: int = 0) -> None:
        """Answer this round's parts, but for the first few."""
        for name, body in list(self.asked().items())[but:]:
            if content_type == PART:
                answer = self.parts.respond(body)
            else:
                answer = self.predictor.respond(content_type, body).encode()
            self.client.put_object(Bucket="artifacts", Key=f"{self.place}/answers/{name}.out", Body=answer)

    def scored(self) -> dict[str, Any]:
        """The outcome of the upload: the say of each job until there is one, then that."""
        said = self.run(split)
        assert said["outcome"] == "split"
        self.transform(said["content_type"])
        assert self.run(assemble) == {"outcome": "assembled"}
        return self.outcomes()

    def read(self, bucket: str, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def outcomes(self) -> dict[str, bytes]:
        found = self.client.list_objects_v2(Bucket="results").get("Contents", [])
        return {item["Key"]: self.read("results", item["Key"]) for item in found}


@pytest.fixture
def account(mixed_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    archive = tmp_path / "processing" / "input" / "model" / "model.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        for path in mixed_model.iterdir():
            tar.add(path, path.name)
    clients.client.cache_clear()
    predictor = Predictor(mixed_model)
    with mock_aws():
        client = boto3.client("s3")
        for bucket in ("data", "artifacts", "results"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
        yield Account(client, tmp_path, predictor, PartScorer(predictor, VERSION))
    clients.client.cache_clear()


def rows(note: str = 'said "so",\n') -> tuple[list[str], list[list[str]]]:
    """Columns of the upload's own and the model's; some rows are rejected, no two are alike."""
    header, *_ = [[*mixed().header[:-1]]]
    found = []
    for number in range(ROWS):
        row = list(mixed().rows[number % len(mixed().rows)][:-1])
        if number % 100 == 7:
            row[0] = "much"
        found.append([str(number), note, *row])
    return ["id", "note", *header], found


def as_csv(*note: str) -> bytes:
    header, body = rows(*note)
    return to_csv([header, *body]).encode()


def as_json_lines(*note: str) -> bytes:
    header, body = rows(*note)
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in body).encode()


def as_parquet(*note: str, **options: Any) -> bytes:
    header, body = rows(*note)
    file = io.BytesIO()
    columns = dict(zip(header, zip(*body, strict=True), strict=True))
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), file, **options)
    return file.getvalue()


def content(result: bytes, ending: str) -> bytes:
    """What must be equal of two results."""
    return gzip.decompress(result) if ending.endswith(".gz") else result


LONG = 'said "so",\n' + "x" * 5000
"""With such a note, rows come to a few parts."""

UPLOADS: Mapping[str, Any] = {"csv": as_csv, "jsonl": as_json_lines, "parquet": as_parquet}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("ending", UPLOADS)
def test_the_result_is_the_one_that_the_small_path_gives(
    account: Account, mixed_model: Path, ending: str, compressed: bool
) -> None:
    body = UPLOADS[ending]()
    if compressed:
        ending, body = ending + ".gz", gzip.compress(body, mtime=0)
    key = f"score/night/all.{ending}"
    account.put(key, body)
    assert account.upload is not None

    expected = io.BytesIO()
    model = RealModel(mixed_model)
    score_file(
        key,
        S3Bucket("data", account.client).open(key, account.upload.version_id),
        expected,
        model=model,
        retry=RETRY,
        features=model.features,
        max_bytes=2**30,
    )
    ((place, result),) = account.scored().items()
    assert place == layout.scored_key(key, account.upload.version_id, ending)
    assert content(result, ending) == content(expected.getvalue(), ending)
    assert list((account.folder / "processing" / "scratch").iterdir()) == []


def test_parquet_of_many_row_groups_keeps_order_types_and_compression(account: Account) -> None:
    account.put("score/a.parquet", as_parquet(row_group_size=700, compression="zstd"))
    (result,) = account.scored().values()
    found = pq.ParquetFile(io.BytesIO(result))
    table = found.read()
    assert table["id"].to_pylist() == [str(number) for number in range(ROWS)]
    assert [value is None for value in table["prediction"].to_pylist()] == [
        number % 100 == 7 for number in range(ROWS)
    ]
    assert found.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_part_of_parquet_fits_in_a_request_however_long_its_texts(account: Account) -> None:
    table = pq.read_table(io.BytesIO(as_parquet()))
    name = mixed().contract.categorical[0].name
    texts = [f"{number}" + "x" * 40_000 for number in range(200)]
    table = table.slice(0, 200).set_column(table.column_names.index(name), name, pa.array(texts))
    file = io.BytesIO()
    pq.write_table(table, file)
    account.put("score/a.parquet", file.getvalue())
    said = account.run(split)
    assert said["outcome"] == "split"
    assert max(map(len, account.asked().values())) <= 1024 * 1024
    account.transform(said["content_type"])
    assert account.run(assemble) == {"outcome": "assembled"}
    (result,) = account.outcomes().values()
    assert pq.read_table(io.BytesIO(result))["id"].to_pylist() == table["id"].to_pylist()


@pytest.mark.parametrize("ending", UPLOADS)
def test_only_the_parts_without_an_answer_are_asked_for_again(account: Account, ending: str) -> None:
    account.put(f"score/a.{ending}", UPLOADS[ending](LONG))
    said = account.run(split)
    everything = list(account.asked())
    account.transform(said["content_type"], but=2)
    assert account.run(assemble) == {"outcome": "incomplete", "missing": 2}
    assert account.outcomes() == {}
    account.round = 2
    assert list(account.asked()) == everything[:2]
    account.transform(said["content_type"])
    assert account.run(assemble) == {"outcome": "assembled"}
    assert len(account.outcomes()) == 1


def test_jobs_that_are_done_again_change_nothing(account: Account) -> None:
    account.put("score/a.parquet", as_parquet())
    account.run(split)
    asked = account.asked()
    said = account.run(split)
    assert account.asked() == asked
    account.transform(said["content_type"])
    account.run(assemble)
    before = account.outcomes()
    assert account.run(assemble) == {"outcome": "assembled"}
    assert account.run(split) == {"outcome": "settled"}
    assert account.outcomes() == before


def test_parquet_that_breaks_off_after_its_first_rows_is_unscorable(account: Account) -> None:
    body = bytearray(as_parquet(row_group_size=1000, compression="none"))
    place = pq.ParquetFile(io.BytesIO(bytes(body))).metadata.row_group(2).column(0).data_page_offset
    body[place : place + 40] = b"\xff" * 40
    account.put("score/a.parquet", bytes(body))
    assert account.run(split) == {"outcome": "unscorable"}
    ((key, document),) = account.outcomes().items()
    assert key.startswith(layout.UNSCORABLE_PREFIX)
    assert json.loads(document)["code"] in ("not_parquet", "undecodable")


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "empty_file"), (as_parquet()[:-100], "not_parquet"), (b"PAR1\x15" + b"\0" * 99, "not_parquet")],
    ids=["empty", "truncated", "garbage"],
)
def test_what_is_no_parquet_is_unscorable(account: Account, body: bytes, code: str) -> None:
    account.put("score/a.parquet", body)
    assert account.run(split) == {"outcome": "unscorable"}
    (document,) = account.outcomes().values()
    assert json.loads(document)["code"] == code


def test_an_upload_that_its_owner_deleted_is_gone(account: Account) -> None:
    account.put("score/a.csv", as_csv())
    assert account.upload is not None
    account.client.delete_object(Bucket="data", Key=account.upload.key, VersionId=account.upload.version_id)
    assert account.run(split) == {"outcome": "gone"}
    assert account.outcomes() == {}
