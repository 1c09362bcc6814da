"""An archive is unpacked only as far as it is an artifact."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from contract import artifact
from lambdas.verify_package.archive import unpack
from tests.fixtures.archives import archive


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_only_regular_files_are_unpacked(kind: bytes, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo("model.onnx")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
    buffer.seek(0)
    with pytest.raises(artifact.ArtifactError, match="which no artifact has"):
        unpack(buffer, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_twice_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("model.onnx"))
        tar.addfile(tarfile.TarInfo("./model.onnx"))
    buffer.seek(0)
    with pytest.raises(artifact.ArtifactError, match=r"holds 'model\.onnx' twice"):
        unpack(buffer, tmp_path)


def test_more_bytes_than_fit_are_refused_before_they_are_written(tmp_path: Path) -> None:
    body = archive({"model.onnx": b"\0" * 1000, "model.json": b"\0" * 1000})
    with pytest.raises(artifact.ArtifactError, match="more than 1,500 bytes"):
        unpack(io.BytesIO(body), tmp_path, max_bytes=1500)
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("body", [b"", b"no archive", archive({"model.onnx": bytes(range(256)) * 99})[:300]])
def test_an_archive_that_is_none_or_cut_short_is_refused(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(artifact.ArtifactError, match="the archive cannot be read"):
        unpack(io.BytesIO(body), tmp_path)
