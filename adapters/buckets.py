"""S3, as `adapters.ports.Bucket`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from io import BufferedReader, RawIOBase
from itertools import takewhile
from typing import IO, TYPE_CHECKING, Any

from boto3.s3.transfer import TransferConfig

from adapters.clients import client, translated
from adapters.errors import AccessDenied, NotFound
from adapters.ports import ListedVersion, ObjectVersion, StoredObject

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ObjectVersionTypeDef

_BUFFER_BYTES = 256 * 1024
_COPY = TransferConfig(multipart_threshold=1024**3, multipart_chunksize=256 * 1024**2)
"""One request copies up to 5 GB; parts make a larger copy possible and a large one quick."""


@dataclass(frozen=True)
class S3Bucket:
    """A versioned bucket."""

    name: str
    client: S3Client = field(default_factory=partial(client, "s3"), repr=False)

    def open(self, key: str, version_id: str | None = None) -> StoredObject:
        try:
            response = self._get(key, version_id)
        except AccessDenied as denied:
            # S3 says "denied" of what is not there, too, to a role that may list under a prefix only.
            if self._is_gone(key, version_id):
                raise NotFound("GetObject", "NoSuchKey", f"s3://{self.name}/{key} is not there") from denied
            raise
        stream = BufferedReader(_Body(response["Body"]), _BUFFER_BYTES)
        return StoredObject(
            stream=stream, size=response["ContentLength"], last_modified=response["LastModified"]
        )

    def read(self, key: str) -> bytes:
        with self.open(key).stream as stream:
            return stream.read()

    def exists(self, key: str) -> bool:
        return self._first(key) == key

    def holds(self, prefix: str) -> bool:
        return self._first(prefix) is not None

    def has_version(self, key: str, version_id: str) -> bool:
        # A listing begins with the key that is its prefix; what follows belongs to longer ones.
        versions = takewhile(lambda version: version["Key"] == key, self._versions(key))
        return any(version["VersionId"] == version_id for version in versions)

    def replace(self, key: str, body: bytes, content_type: str) -> None:
        with translated("PutObject"):
            self.client.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    def versions(self, prefix: str, after: str) -> Iterator[ListedVersion]:
        for version in self._versions(prefix, after):
            modified = version["LastModified"].timestamp()
            yield ListedVersion(key=version["Key"], version_id=version["VersionId"], last_modified=modified)

    def withdraw(self, key: str) -> None:
        with translated("DeleteObject"):
            self.client.delete_object(Bucket=self.name, Key=key)

    def create(self, key: str, body: bytes | IO[bytes], content_type: str) -> None:
        with translated("PutObject"):
            self.client.put_object(
                Bucket=self.name, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*"
            )

    def current_versions(self, prefix: str) -> Iterator[ObjectVersion]:
        for version in self._versions(prefix):
            if version["IsLatest"]:
                yield ObjectVersion(key=version["Key"], version_id=version["VersionId"], size=version["Size"])

    def copy(self, source: ObjectVersion, key: str) -> None:
        with translated("CopyObject"):
            self.client.copy(
                {"Bucket": self.name, "Key": source.key, "VersionId": source.version_id},
                self.name,
                key,
                # The copy needs none of the upload's tags, and so no right to read or write tags.
                ExtraArgs={"TaggingDirective": "REPLACE"},
                Config=_COPY,
            )

    def _first(self, prefix: str) -> str | None:
        # A listing needs no right to read the object, and cannot answer 403 for "not there" as HEAD does.
        with translated("ListObjectsV2"):
            listed = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1)
        return next((entry["Key"] for entry in listed.get("Contents", [])), None)

    def _get(self, key: str, version_id: str | None) -> GetObjectOutputTypeDef:
        version: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        with translated("GetObject"):
            return self.client.get_object(Bucket=self.name, Key=key, **version)

    def _is_gone(self, key: str, version_id: str | None) -> bool:
        try:
            return not (self.has_version(key, version_id) if version_id else self.exists(key))
        except AccessDenied:
            return False

    def _versions(self, prefix: str, after: str = "") -> Iterator[ObjectVersionTypeDef]:
        start: dict[str, Any] = {"KeyMarker": after} if after else {}
        pages = self.client.get_paginator("list_object_versions")
        with translated("ListObjectVersions"):
            for page in pages.paginate(Bucket=self.name, Prefix=prefix, **start):
                yield from page.get("Versions", [])


class _Body(RawIOBase):
    """An object's bytes, whose reads fail with the project's errors too."""

    def __init__(self, body: StreamingBody) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with translated("GetObject"):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()
