"""Moving files between S3 and a job's folder, as SageMaker does it."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit


class EmptyPrefixError(Exception):
    """No object lies under a prefix that something is to be read from."""


def parse(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an `s3://` URI."""
    parts = urlsplit(uri)
    return parts.netloc, parts.path.lstrip("/")


def locate(s3: Any, uris: Iterable[str]) -> None:
    """Ask where the buckets of some URIs are, as SageMaker does before it reads them.

    Raises:
        botocore ClientError: as S3 refuses.
    """
    for bucket in sorted({parse(uri)[0] for uri in uris}):
        s3.get_bucket_location(Bucket=bucket)


def list_keys(s3: Any, uri: str) -> Iterator[str]:
    """Keys under a prefix, without the empty ones that consoles make for folders.

    Raises:
        botocore ClientError: as S3 refuses.
    """
    bucket, prefix = parse(uri)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            if not item["Key"].endswith("/"):
                yield item["Key"]


def relative_name(key: str, prefix: str) -> str:
    """Where in a job's folder an object goes whose prefix is its key, a folder or part of a name."""
    if key == prefix:
        return PurePosixPath(key).name
    folder = prefix.rstrip("/") + "/" if prefix else ""
    if key.startswith(folder):
        return key[len(folder) :]
    return key[prefix.rfind("/") + 1 :]


def download(s3: Any, uri: str, folder: Path) -> None:
    """Copy every object under a prefix into a folder.

    Raises:
        EmptyPrefixError: there is none.
        botocore ClientError: as S3 refuses.
    """
    bucket, prefix = parse(uri)
    folder.mkdir(parents=True, exist_ok=True)
    found = False
    for key in list_keys(s3, uri):
        found = True
        target = folder / relative_name(key, prefix)
        if not target.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"s3://{bucket}/{key} would be written outside of the job's folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        download_file(s3, f"s3://{bucket}/{key}", target)
    if not found:
        raise EmptyPrefixError(uri)


def download_file(s3: Any, uri: str, target: Path) -> None:
    """Copy one object to a file, in bounded memory."""
    bucket, key = parse(uri)
    with target.open("wb") as file:
        shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=key)["Body"], file)


def upload(s3: Any, folder: Path, uri: str, kms_key: str | None = None) -> None:
    """Copy every file of a folder under a prefix."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            upload_file(s3, path, f"{uri.rstrip('/')}/{path.relative_to(folder).as_posix()}", kms_key)


def upload_file(s3: Any, path: Path, uri: str, kms_key: str | None = None) -> None:
    """Copy one file to an object, encrypted with a KMS key where one is asked for."""
    bucket, key = parse(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    with path.open("rb") as file:
        s3.put_object(Bucket=bucket, Key=key, Body=file, **encryption)


def pack(folder: Path, archive: Path) -> bool:
    """Make a .tar.gz of what a folder holds; False, and no archive, where it holds nothing."""
    members = sorted(folder.iterdir()) if folder.is_dir() else []
    if not members:
        return False
    with tarfile.open(archive, "w:gz") as tar:
        for member in members:
            tar.add(member, arcname=member.name)
    return True


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a .tar.gz into a folder; a member that would leave it is refused.

    Raises:
        tarfile.TarError: it is not such an archive, or a member is unsafe.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "r:gz") as tar:
        tar.extractall(folder, filter="data")
