"""S3 for the jobs of the batch path: the only module of the image that calls AWS."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from io import BufferedReader, RawIOBase
from time import sleep
from typing import IO, TYPE_CHECKING, Any

from adapters.buckets import S3Bucket
from adapters.clients import translated
from adapters.concatenation import MAX_PARTS, PlannedPart, Range, plan
from adapters.errors import AwsError
from adapters.ordered_map import ordered_map
from adapters.ports import StoredObject
from adapters.retry import RetryPolicy

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

RANGE_BYTES = 16 * 1024 * 1024
"""Of an object that is read for as long as a job works on it: no connection has to last that long."""
PART_BYTES = 16 * 1024 * 1024
PARTS_OF_A_SIZE = 2000
"""After as many parts of a result the next ones are twice as large: of 10,000, S3's limit, 968 GiB."""

COPIES_AT_A_TIME = 8

RETRY = RetryPolicy(remaining_seconds=lambda: threading.TIMEOUT_MAX, sleep=sleep)
"""A job's, whose time is not limited."""


class JobBucket(S3Bucket):
    """A bucket that takes objects of any size, also made of others, and whose keys can be listed."""

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        """The object; at a version it is read range by range. Raises NotFound."""
        whole = super().open(key, version_id)
        if version_id is None:
            return whole
        whole.stream.close()
        ranges = _Ranges(self, key, version_id, whole.size)
        return replace(whole, stream=BufferedReader(ranges, RANGE_BYTES))

    def read_range(self, key: str, version_id: str, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a version from `start` on."""
        wanted = f"bytes={start}-{start + size - 1}"
        with translated("GetObject"):
            response = self.client.get_object(Bucket=self.name, Key=key, VersionId=version_id, Range=wanted)
            return response["Body"].read()

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
        """Yield the part of each key under a prefix after its last slash."""
        with translated("ListObjectsV2"):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            ):
                for item in page.get("Contents", []):
                    yield item["Key"].rpartition("/")[2]

    def folders(self, prefix: str) -> Iterator[str]:
        """Yield the part of keys between a prefix, which ends in a slash, and their next slash."""
        with translated("ListObjectsV2"):
            for page in self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix, Delimiter="/"
            ):
                for item in page.get("CommonPrefixes", []):
                    yield item["Prefix"].removeprefix(prefix).rstrip("/")

    def read_end(self, key: str, size: int) -> tuple[bytes, int]:
        """The last `size` bytes of an object, or all there are, and how many it has. Raises NotFound."""
        with translated("GetObject"):
            response = self.client.get_object(Bucket=self.name, Key=key, Range=f"bytes=-{size}")
            return response["Body"].read(), int(response["ContentRange"].rpartition("/")[2])

    def concatenate(self, key: str, source: JobBucket, ranges: Iterable[Range], content_type: str) -> None:
        """Write an object that does not exist yet, of ranges of a bucket's objects. S3 copies most of them.

        Raises:
            AlreadyExists: it does.
            NotFound: one of the others does not.
        """
        parts = plan(ranges)
        if len(parts) > MAX_PARTS:
            raise ValueError(f"{key} would have {len(parts):,} parts, of {MAX_PARTS:,} at most")
        if not any(part.copied for part in parts) and len(parts) < 2:
            super().create(key, source.read_ranges(parts[0].ranges if parts else []), content_type)
            return

        def make(upload: str, numbered: tuple[int, PlannedPart]) -> CompletedPartTypeDef:
            number, part = numbered
            if part.copied:
                return self._copy_part(key, upload, number, source, part.ranges[0])
            return self._upload_part(key, upload, number, source.read_ranges(part.ranges))

        with self._multipart(key, content_type) as (upload, done):
            made = ordered_map(
                partial(make, upload),
                enumerate(parts, start=1),
                in_flight=COPIES_AT_A_TIME,
                remaining_seconds=RETRY.remaining_seconds,
            )
            with closing(made):
                done.extend(part for _, part in made)

    def read_ranges(self, ranges: Iterable[Range]) -> bytes:
        """Some ranges, one after the other. Raises NotFound."""
        return b"".join(RETRY(partial(self._read_range, each)) for each in ranges)

    def _read_range(self, wanted: Range) -> bytes:
        with translated("GetObject"):
            response = self.client.get_object(Bucket=self.name, Key=wanted.key, Range=_header(wanted))
            return response["Body"].read()

    def _create_in_parts(self, key: str, first: bytes, rest: IO[bytes], content_type: str) -> None:
        with self._multipart(key, content_type) as (upload, done):
            data = first
            while data:
                number = len(done) + 1
                done.append(self._upload_part(key, upload, number, data))
                data = rest.read(part_bytes(number))

    @contextmanager
    def _multipart(self, key: str, content_type: str) -> Iterator[tuple[str, list[CompletedPartTypeDef]]]:
        """An upload that is completed with the parts in the list, or given up if the block fails."""
        with translated("CreateMultipartUpload"):
            created = self.client.create_multipart_upload(Bucket=self.name, Key=key, ContentType=content_type)
        upload = created["UploadId"]
        done: list[CompletedPartTypeDef] = []
        try:
            yield upload, done
            with translated("CompleteMultipartUpload"):
                self.client.complete_multipart_upload(
                    Bucket=self.name,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": done},
                    IfNoneMatch="*",
                )
        except Exception:
            with suppress(AwsError), translated("AbortMultipartUpload"):
                self.client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload)
            raise

    def _upload_part(self, key: str, upload: str, number: int, data: bytes) -> CompletedPartTypeDef:
        with translated("UploadPart"):
            part = self.client.upload_part(
                Bucket=self.name, Key=key, UploadId=upload, PartNumber=number, Body=data
            )
        return {"ETag": part["ETag"], "PartNumber": number}

    def _copy_part(
        self, key: str, upload: str, number: int, source: JobBucket, wanted: Range
    ) -> CompletedPartTypeDef:
        with translated("UploadPartCopy"):
            part = self.client.upload_part_copy(
                Bucket=self.name,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                CopySource={"Bucket": source.name, "Key": wanted.key},
                CopySourceRange=_header(wanted),
            )
        return {"ETag": part["CopyPartResult"]["ETag"], "PartNumber": number}


def _header(wanted: Range) -> str:
    return f"bytes={wanted.start}-{wanted.start + wanted.size - 1}"


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
