"""S3 for the jobs of the batch path: the only module of the image that calls AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BufferedReader, RawIOBase
from time import sleep
from typing import IO, TYPE_CHECKING, Any

from adapters.buckets import S3Bucket
from adapters.clients import translated
from adapters.errors import AwsError
from adapters.ports import StoredObject
from adapters.retry import RetryPolicy

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

RANGE_BYTES = 16 * 1024 * 1024
"""Of an object that is read for as long as a job works on it: no connection has to last that long."""
PART_BYTES = 16 * 1024 * 1024
PARTS_OF_A_SIZE = 2000
"""After as many parts of a result the next ones are twice as large: of 10,000, S3's limit, 968 GiB."""

RETRY = RetryPolicy(remaining_seconds=lambda: threading.TIMEOUT_MAX, sleep=sleep)
"""A job's, whose time is not limited."""


class JobBucket(S3Bucket):
    """A bucket that takes objects of any size, and whose keys can be listed."""

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        """The object; at a version it is read range by range. Raises NotFound."""
        whole = super().open(key, version_id)
        if version_id is None:
            return whole
        whole.stream.close()
        ranges = _Ranges(self, key, version_id, whole.size)
        return replace(whole, stream=BufferedReader(ranges, RANGE_BYTES))

    def read_range(self, key: str, version_id: str, start: int, size: int) -> bytes:
        """Up to `size` bytes of a version from `start` on."""
        wanted = f"bytes={start}-{start + size - 1}"
        with translated("GetObject"):
            answer = self.client.get_object(Bucket=self.name, Key=key, VersionId=version_id, Range=wanted)
            return answer["Body"].read()

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        """Write an object that does not exist yet; whether it does decides the last call alone.

        Raises:
            AlreadyExists: it does.
        """
        if isinstance(body, bytes):
            super().create(key, body, content_type)
            return
        first = body.read(PART_BYTES)
        if len(first) < PART_BYTES:
            super().create(key, first, content_type)
        else:
            self._create_in_parts(key, first, body, content_type)

    def names(self, prefix: str) -> Iterator[str]:
        """What follows the last slash of each key under a prefix."""
        with translated("ListObjectsV2"):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            ):
                for item in page.get("Contents", []):
                    yield item["Key"].rpartition("/")[2]

    def _create_in_parts(self, key: str, first: bytes, rest: IO[bytes], content_type: str) -> None:
        with translated("CreateMultipartUpload"):
            upload = self.client.create_multipart_upload(Bucket=self.name, Key=key, ContentType=content_type)[
                "UploadId"
            ]
        try:
            parts = self._upload_parts(key, upload, first, rest)
            with translated("CompleteMultipartUpload"):
                self.client.complete_multipart_upload(
                    Bucket=self.name,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                    IfNoneMatch="*",
                )
        except Exception:
            with suppress(AwsError), translated("AbortMultipartUpload"):
                self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload)
            raise

    def _upload_parts(
        self, key: str, upload: str, first: bytes, rest: IO[bytes]
    ) -> list[CompletedPartTypeDef]:
        done: list[CompletedPartTypeDef] = []
        data = first
        while data:
            number = len(done) + 1
            with translated("UploadPart"):
                part = self.client.upload_part(
                    Bucket=self.name, Key=key, UploadId=upload, PartNumber=number, Body=data
                )
            done.append({"ETag": part["ETag"], "PartNumber": number})
            data = rest.read(part_bytes(number))
        return done


def part_bytes(before: int) -> int:
    """Size of the part of a result that comes after so many others."""
    return PART_BYTES << (before // PARTS_OF_A_SIZE)


class _Ranges(RawIOBase):
    """One version of an object, each piece of it a request of its own."""

    def __init__(self, bucket: JobBucket, key: str, version_id: str, size: int) -> None:
        self._bucket = bucket
        self._key = key
        self._version_id = version_id
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if not wanted:
            return 0
        data = RETRY(lambda: self._bucket.read_range(self._key, self._version_id, self._at, wanted))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
