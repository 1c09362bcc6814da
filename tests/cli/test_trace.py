"""`trace` goes from a result to the bytes behind it, and back."""

from __future__ import annotations

import gzip
import io

import pyarrow
import pytest
from pyarrow.parquet import write_table

from cli.aws.clients import Aws
from cli.aws.session import Deployment
from cli.commands.trace import traced
from cli.kit.errors import CliError
from contract.documents.dataset import Manifest, PinnedObject
from contract.layout import manifest_key
from tests.cli.registered import GROUP, deploy_group, register

FILE = PinnedObject(key="training/a.csv", version_id="v1", sha256="5a" * 32, size=12)
MANIFEST = Manifest.of([FILE])
PINNED = f"{FILE.key}, version v1, 12 bytes, SHA-256 {FILE.sha256}"


def packed(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)  # the same in each process that collects tests


def parquet(versions: list[str]) -> bytes:
    file = io.BytesIO()
    write_table(pyarrow.table({"x": [1] * len(versions), "model_version": versions}), file)
    return file.getvalue()


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    deployed = deploy_group(aws)
    body = MANIFEST.to_json().encode()
    aws.s3.put_object(Bucket=deployed["DataBucket"], Key=manifest_key(MANIFEST.version), Body=body)
    register(aws, MANIFEST.version, 0.95)
    register(aws, "0" * 64, 0.96)
    return deployed


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("r.csv", f"x,prediction,rejected,model_version\n1,2,,{GROUP}/1\n".encode()),
        ("r.csv", f"x;prediction;rejected;model_version\n1;2;;{GROUP}/1\n".encode("utf-16")),
        ("r.csv", f"\xe9,prediction,rejected,model_version\n1,2,,{GROUP}/1\n".encode("latin-1")),
        ("r.csv", f'sep=;\nx;rejected;model_version\n1;;{GROUP}/1\n"a;\nb";;{GROUP}/1\n'.encode()),
        ("r.csv.gz", packed(f"x,rejected,model_version\n1,,{GROUP}/1\n".encode())),
        ("r.csv.gz", packed(f"x,rejected,model_version\n1,,{GROUP}/1\n".encode("utf-16"))),
        ("r.jsonl", f'{{"x": 1, "model_version": "{GROUP}/1"}}\n'.encode()),
        ("r.jsonl.gz", packed(f'{{"x": 1, "model_version": "{GROUP}/1"}}\n'.encode())),
        ("r.parquet", parquet([f"{GROUP}/1"])),
        ("r.parquet.gz", packed(parquet([f"{GROUP}/1"]))),
    ],
)
def test_from_a_result_to_the_bytes(deployed: Deployment, name: str, body: bytes) -> None:
    bucket, key = deployed["ResultsBucket"], f"scored/people/{name}"
    deployed.aws.s3.put_object(Bucket=bucket, Key=key, Body=body)

    for thing in (key, f"s3://{bucket}/{key}"):
        text = "\n".join(traced(deployed, thing))
        for part in (f"{GROUP}/1", "runs/r1/", "c0de" * 16, MANIFEST.version, PINNED):
            assert part in text
        assert f"{GROUP}/2" not in text


def test_from_a_dataset_to_its_models(deployed: Deployment) -> None:
    text = "\n".join(traced(deployed, MANIFEST.version[:12]))

    assert PINNED in text
    assert f"trained on it: {GROUP}/1" in text
    assert f"{GROUP}/2" not in text


@pytest.mark.parametrize(
    ("thing", "told"),
    [
        ("scored/nothing.csv", "there is no s3://.*/scored/nothing.csv"),
        ("s3://nowhere/scored/nothing.csv", "there is no s3://nowhere/scored/nothing.csv"),
        ("ffff0000ffff", "ffff0000ffff"),
        (f"{GROUP}/9", "there is no version"),
        ("what?", "'what.' is neither a result"),
        ("unscorable/a.csv/1.json", "was not made by a model"),
    ],
)
def test_what_is_not_there_is_told(deployed: Deployment, thing: str, told: str) -> None:
    with pytest.raises(CliError, match=told):
        list(traced(deployed, thing))


@pytest.mark.parametrize("body", [b"", b"x,y\n1,2\n", b"x,rejected,model_version\n"])
def test_what_is_no_result_names_no_version(deployed: Deployment, body: bytes) -> None:
    deployed.aws.s3.put_object(Bucket=deployed["ResultsBucket"], Key="scored/r.csv", Body=body)
    with pytest.raises(CliError, match=r"no row of .* names a model_version"):
        list(traced(deployed, "scored/r.csv"))
