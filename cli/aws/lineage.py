"""The model versions that made a result."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, cast
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.aws.session import Deployment
from cli.kit.errors import CliError, error_code
from contract import serving
from contract.layout import SCORED_PREFIX
from contract.names.outputs import Output

HEXADECIMAL = frozenset("0123456789abcdef")
JSON_LINES, PARQUET, GZIP = ".jsonl", ".parquet", ".gz"
LONGEST_FIELD = 2**31 - 1
"""Of a CSV, in characters: a row has to fit in one request, and its fields with it."""


def is_result(thing: str) -> bool:
    """Return True if this names a scored object: by its key, or by its S3 URI."""
    return thing.startswith(("s3://", SCORED_PREFIX))


def is_dataset(thing: str) -> bool:
    """Return True if this may be a dataset version or the beginning of one."""
    return len(thing) > 3 and set(thing) <= HEXADECIMAL


def model_versions(deployed: Deployment, result: str) -> list[str]:
    """The model versions that a scored object's rows name, in order of first appearance.

    Raises:
        CliError: there is no such object, or its rows name none.
    """
    bucket, key = deployed[Output.RESULTS_BUCKET], result
    if result.startswith("s3://"):
        place = urlsplit(result, allow_fragments=False)
        bucket, key = place.netloc, result.removeprefix(f"s3://{place.netloc}/")
    with TemporaryFile() as file:
        try:
            deployed.aws.s3.download_fileobj(bucket, key, file)
        except ClientError as error:
            if error_code(error) not in ("404", "NoSuchKey", "NoSuchBucket"):
                raise
            raise CliError(f"there is no s3://{bucket}/{key}.") from error
        file.seek(0)
        names = list(dict.fromkeys(filter(None, _named(key, file))))
    if not names:
        raise CliError(f"no row of s3://{bucket}/{key} names a {serving.MODEL_VERSION}: is it under scored/?")
    return names


def _named(key: str, file: IO[bytes]) -> Iterator[str | None]:
    """Yield the model version of each row of a result, compressed or not."""
    if key.endswith(GZIP):
        with gzip.open(file) as unpacked:
            yield from _named(key.removesuffix(GZIP), cast("IO[bytes]", unpacked))
    elif key.endswith(PARQUET):
        import pyarrow.parquet as parquet

        table = parquet.read_table(file, columns=[serving.MODEL_VERSION])
        yield from (name for column in table.columns for name in column.unique().to_pylist())
    elif key.endswith(JSON_LINES):
        # Lines end at \n alone: a JSON string may hold U+2028.
        yield from (json.loads(line).get(serving.MODEL_VERSION) for line in file if line.strip())
    else:
        with _text(file) as text:
            yield from _named_last(text)


def _named_last(text: IO[str]) -> Iterator[str]:
    """The last field of each row under the header, which may have Excel's own line before it."""
    ends = re.compile(rf"{serving.REJECTED}(.){serving.MODEL_VERSION}\r?\n")
    header = next(filter(None, map(ends.search, text)), None)
    if header is not None:
        csv.field_size_limit(LONGEST_FIELD)
        yield from (row[-1] for row in csv.reader(text, delimiter=header[1]) if row)


@contextmanager
def _text(file: IO[bytes]) -> Iterator[IO[str]]:
    """A result has its upload's encoding; what is looked for in it is ASCII in all of them."""
    mark = file.read(2)
    file.seek(0)
    wide = mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    text = io.TextIOWrapper(file, "utf-16" if wide else "utf-8-sig", errors="replace", newline="")
    try:
        yield text
    finally:
        text.detach()
