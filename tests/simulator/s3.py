"""Versioned buckets as S3 has them: strongly consistent, conditional creation, delete markers, listings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.simulator.clock import Clock
from tests.simulator.wire import Refusal, Request, Response

PAGE = 1000


@dataclass(frozen=True)
class Version:
    """One version of an object; a delete marker has no body."""

    key: str
    version_id: str
    modified: float
    body: bytes | None


@dataclass
class Bucket:
    """One bucket, newest version of a key last."""

    clock: Clock
    objects: dict[str, list[Version]] = field(default_factory=dict)
    made: int = 0

    def put(self, key: str, body: bytes | None) -> Version:
        self.made += 1
        name = hashlib.blake2b(f"{key}/{self.made}".encode(), digest_size=16).hexdigest()
        version = Version(key, name, self.clock.now, body)
        self.objects.setdefault(key, []).append(version)
        return version

    def remove(self, version: Version) -> None:
        """Delete a version for good."""
        self.objects[version.key].remove(version)

    def current(self, prefix: str = "") -> Iterator[Version]:
        """Every object that a reader sees, by key."""
        for key in sorted(self.objects):
            if key.startswith(prefix) and self.objects[key] and self.objects[key][-1].body is not None:
                yield self.objects[key][-1]

    def versions(self, prefix: str = "") -> list[Version]:
        """Every version and delete marker in the order of a listing."""
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        return [version for key in keys for version in reversed(self.objects[key])]

    def handle(self, request: Request) -> Response:
        return getattr(self, f"_{request.operation}")(request)  # type: ignore[no-any-return]  # one method an operation

    def _GetObject(self, request: Request) -> Response:  # noqa: N802 - S3's name
        versions = self.objects.get(request.key, [])
        wanted = request.query.get("versionId")
        found = [v for v in versions if v.version_id == wanted] if wanted else versions[-1:]
        if not found or found[0].body is None:
            raise Refusal(404, "NoSuchVersion" if wanted else "NoSuchKey", request.key)
        modified = format_datetime(datetime.fromtimestamp(found[0].modified, UTC), usegmt=True)
        return Response(found[0].body, {"Last-Modified": modified, "ETag": '"e"'})

    def _PutObject(self, request: Request) -> Response:  # noqa: N802
        current = self.objects.get(request.key, [])
        if request.headers.get("If-None-Match") == "*" and current and current[-1].body is not None:
            raise Refusal(412, "PreconditionFailed", "At least one of the pre-conditions did not hold")
        return Response(b"", {"x-amz-version-id": self.put(request.key, request.body).version_id})

    def _DeleteObject(self, request: Request) -> Response:  # noqa: N802
        self.put(request.key, None)
        return Response(b"", status=204)

    def _ListObjectsV2(self, request: Request) -> Response:  # noqa: N802
        prefix, limit = request.query["prefix"], int(request.query.get("max-keys", PAGE))
        # The keys of a simulated bucket are few: no page ever ends.
        found = list(islice(self.current(prefix), limit))
        items = "".join(f"<Contents><Key>{_text(v.key)}</Key></Contents>" for v in found)
        return _listing("ListBucketResult", items, truncated=False)

    def _ListObjectVersions(self, request: Request) -> Response:  # noqa: N802
        listed = self.versions(request.query["prefix"])
        key, version_id = request.query.get("key-marker", ""), request.query.get("version-id-marker")
        if version_id:
            start = 1 + [(v.key, v.version_id) for v in listed].index((key, version_id))
        else:
            start = sum(v.key <= key for v in listed)
        page = listed[start : start + PAGE]
        items = "".join(map(_version, page))
        if start + PAGE >= len(listed):
            return _listing("ListVersionsResult", items, truncated=False)
        last = page[-1]
        markers = (
            f"<NextKeyMarker>{_text(last.key)}</NextKeyMarker>"
            f"<NextVersionIdMarker>{last.version_id}</NextVersionIdMarker>"
        )
        return _listing("ListVersionsResult", items + markers, truncated=True)


def _version(version: Version) -> str:
    element = "DeleteMarker" if version.body is None else "Version"
    modified = datetime.fromtimestamp(version.modified, UTC).isoformat().replace("+00:00", "Z")
    return (
        f"<{element}><Key>{_text(version.key)}</Key><VersionId>{version.version_id}</VersionId>"
        f"<LastModified>{modified}</LastModified></{element}>"
    )


def _text(key: str) -> str:
    return escape(quote(key, safe="/"))


def _listing(kind: str, items: str, *, truncated: bool) -> Response:
    """With keys URL-encoded, which botocore asks for and undoes."""
    flag = str(truncated).lower()
    text = f"<{kind}><EncodingType>url</EncodingType><IsTruncated>{flag}</IsTruncated>{items}</{kind}>"
    return Response(text.encode(), {"Content-Type": "application/xml"})
