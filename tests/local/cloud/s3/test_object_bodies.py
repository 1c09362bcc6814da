"""Objects lie on disk, and read as they were written, by whatever way they came."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

pytestmark = pytest.mark.local_cloud

PART_BYTES = 5 * 1024 * 1024
CONTENT = random.Random(1).randbytes(2 * PART_BYTES + 12_345)


@pytest.fixture
def where(stack: Any, eventually: Any) -> Iterator[dict[str, str]]:
    """A bucket, and a key of which nothing is left afterwards."""
    before = on_disk(stack)
    s3, named = stack.client("s3"), {"Bucket": stack["Bucket"], "Key": "large/object"}
    yield named
    for found in s3.list_object_versions(Bucket=stack["Bucket"], Prefix="large/").get("Versions", []):
        s3.delete_object(Bucket=stack["Bucket"], Key=found["Key"], VersionId=found["VersionId"])
    for begun in s3.list_multipart_uploads(Bucket=stack["Bucket"]).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=stack["Bucket"], Key=begun["Key"], UploadId=begun["UploadId"])
    eventually(lambda: on_disk(stack) == before)


def put_in_parts(s3: Any, where: dict[str, str], content: bytes) -> Any:
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts: list[Any] = []
    for at in range(0, len(content), PART_BYTES):
        number, body = len(parts) + 1, content[at : at + PART_BYTES]
        answer = s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return s3.complete_multipart_upload(
        **where, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
    )


def on_disk(stack: Any) -> int:
    """Bytes of all bodies in the cloud's folder."""
    folder: Path = stack.cloud.folder / "objects"
    return sum(path.stat().st_size for path in folder.iterdir())


def test_an_object_in_parts_is_the_parts_joined(stack: Any, where: dict[str, str], eventually: Any) -> None:
    s3, before = stack.client("s3"), on_disk(stack)
    made = put_in_parts(s3, where, CONTENT)
    eventually(lambda: on_disk(stack) - before == len(CONTENT))
    found = s3.get_object(**where)
    assert found["ContentLength"] == s3.head_object(**where)["ContentLength"] == len(CONTENT)
    assert found["ETag"] == made["ETag"]
    assert found["Body"].read() == CONTENT
    piece = s3.get_object(
        **where, Range=f"bytes={PART_BYTES - 10}-{PART_BYTES + 9}", VersionId=made["VersionId"]
    )
    assert piece["Body"].read() == CONTENT[PART_BYTES - 10 : PART_BYTES + 10]
    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        put_in_parts(s3, where, CONTENT)


def test_objects_in_parts_have_one_etag_if_they_are_equal(stack: Any, where: dict[str, str]) -> None:
    s3 = stack.client("s3")
    others = [CONTENT, CONTENT, CONTENT[::-1]]
    etags = [put_in_parts(s3, {**where, "Key": f"large/{n}"}, c)["ETag"] for n, c in enumerate(others)]
    assert etags[0] == etags[1] != etags[2]


def test_an_older_version_is_still_there(stack: Any, where: dict[str, str]) -> None:
    s3 = stack.client("s3")
    first = s3.put_object(**where, Body=CONTENT)
    assert first["ETag"].strip('"') == hashlib.md5(CONTENT).hexdigest()
    s3.put_object(**where, Body=b"small")
    assert s3.get_object(**where)["Body"].read() == b"small"
    assert s3.get_object(**where, VersionId=first["VersionId"])["Body"].read() == CONTENT


def test_a_copy_is_the_same(stack: Any, where: dict[str, str]) -> None:
    s3 = stack.client("s3")
    s3.put_object(**where, Body=CONTENT)
    for name, threshold in (("whole", 2**30), ("in-parts", 1)):
        config = TransferConfig(multipart_threshold=threshold, multipart_chunksize=PART_BYTES)
        s3.copy(where, where["Bucket"], f"large/{name}", Config=config)
        assert s3.get_object(Bucket=where["Bucket"], Key=f"large/{name}")["Body"].read() == CONTENT


def test_what_is_gone_takes_no_room(stack: Any, where: dict[str, str], eventually: Any) -> None:
    s3, before = stack.client("s3"), on_disk(stack)
    made = s3.put_object(**where, Body=CONTENT)
    upload = s3.create_multipart_upload(**where)["UploadId"]
    s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=CONTENT)
    assert on_disk(stack) - before == 2 * len(CONTENT)
    s3.abort_multipart_upload(**where, UploadId=upload)
    s3.delete_object(**where, VersionId=made["VersionId"])
    eventually(lambda: on_disk(stack) == before)


def resident_bytes(process_id: int) -> int:
    (line,) = (
        line
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads memory in /proc")
def test_a_reader_that_goes_away_leaves_nothing_in_memory(stack: Any, where: dict[str, str]) -> None:
    s3 = stack.client("s3")
    s3.put_object(**where, Body=CONTENT)
    before = resident_bytes(stack.cloud.info.pid)
    for _ in range(20):
        body = s3.get_object(**where)["Body"]
        assert body.read(10) == CONTENT[:10]
        body.close()
    assert resident_bytes(stack.cloud.info.pid) - before < 5 * len(CONTENT)
    assert s3.get_object(**where)["Body"].read() == CONTENT


def put_copied(s3: Any, where: dict[str, str], source: dict[str, str], *ranges: tuple[int, int]) -> Any:
    """Make an object of ranges of another, from the first of two places to the one before the second."""
    upload = s3.create_multipart_upload(**where)["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part_copy(
                **where,
                UploadId=upload,
                PartNumber=number,
                CopySource=source,
                CopySourceRange=f"bytes={start}-{stop - 1}",
            )["CopyPartResult"]["ETag"],
        }
        for number, (start, stop) in enumerate(ranges, start=1)
    ]
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    return parts


def test_ranges_are_copied_into_an_object_that_outlives_their_own(
    stack: Any, where: dict[str, str], eventually: Any
) -> None:
    s3, before = stack.client("s3"), on_disk(stack)
    made = put_in_parts(s3, where, CONTENT)
    copy = {**where, "Key": "large/copy"}
    middle, end = (7, PART_BYTES + 7), (PART_BYTES, len(CONTENT))
    parts = put_copied(s3, copy, where, middle, end)
    expected = CONTENT[slice(*middle)] + CONTENT[slice(*end)]
    assert parts[0]["ETag"].strip('"') == hashlib.md5(CONTENT[slice(*middle)]).hexdigest()
    assert on_disk(stack) - before == len(CONTENT), "nothing is written a second time"
    s3.delete_object(**where, VersionId=made["VersionId"])
    assert s3.get_object(**copy)["Body"].read() == expected
    ranged = s3.get_object(**copy, Range=f"bytes={PART_BYTES - 10}-{PART_BYTES + 9}")
    assert ranged["Body"].read() == expected[PART_BYTES - 10 : PART_BYTES + 10]


def test_a_part_that_is_too_small_is_refused_unless_it_is_the_last(stack: Any, where: dict[str, str]) -> None:
    s3 = stack.client("s3")
    put_in_parts(s3, where, CONTENT)
    copy = {**where, "Key": "large/copy"}
    with pytest.raises(s3.exceptions.ClientError, match="EntityTooSmall"):
        put_copied(s3, copy, where, (0, PART_BYTES - 1), (0, PART_BYTES))
    put_copied(s3, copy, where, (0, PART_BYTES), (0, 1))
