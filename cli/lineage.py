"""What a result says about the models that made it."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.errors import CliError, error_code
from cli.session import Deployment
from contract import serving
from contract.layout import SCORED_PREFIX

HEXADECIMAL = frozenset("0123456789abcdef")
PARQUET = ".parquet"


def is_result(thing: str) -> bool:
    """Whether this names a scored object: by its key, or by its S3 URI."""
    return thing.startswith(("s3://", SCORED_PREFIX))


def is_dataset(thing: str) -> bool:
    """Whether this may be a dataset version or the beginning of one."""
    return len(thing) > 3 and set(thing) <= HEXADECIMAL


def model_versions(deployed: Deployment, result: str) -> list[str]:
    """The model versions that a scored object's rows name, in order of first appearance.

    Raises:
        CliError: there is no such object, or its rows name none.
    """
    bucket, key = deployed["ResultsBucket"], result
    if result.startswith("s3://"):
        place = urlsplit(result, allow_fragments=False)
        bucket, key = place.netloc, result.removeprefix(f"s3://{place.netloc}/")
    try:
        body = deployed.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise CliError(f"there is no s3://{bucket}/{key}.") from error
    found = _named(key, body)
    if not found:
        raise CliError(f"no row of s3://{bucket}/{key} names a {serving.MODEL_VERSION}: is it under scored/?")
    return found


def _named(key: str, body: bytes) -> list[str]:
    if key.endswith(PARQUET):
        import pyarrow.parquet as parquet

        table = parquet.read_table(io.BytesIO(body))
        column = serving.MODEL_VERSION
        values = table[column].unique().to_pylist() if column in table.column_names else []
    elif key.endswith(".jsonl"):
        # Lines end at \n alone: a JSON string may hold U+2028.
        lines = (json.loads(line) for line in body.split(b"\n") if line.strip())
        values = [line.get(serving.MODEL_VERSION) for line in lines]
    else:
        text = _text(body)
        ending = re.search(rf"{serving.REJECTED}(.){serving.MODEL_VERSION}\r?\n", text)
        csv.field_size_limit(max(csv.field_size_limit(), len(text)))
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=ending[1]) if ending else ()
        values = [row.get(serving.MODEL_VERSION) for row in rows]
    return list(dict.fromkeys(value for value in values if value))


def _text(body: bytes) -> str:
    """A result has its upload's encoding; what is looked for in it is ASCII in all of them."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body.decode("utf-16")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("latin-1")
