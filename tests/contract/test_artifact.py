from __future__ import annotations

from pathlib import Path

import pytest

from contract import artifact


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    for name in artifact.SEALED:
        (tmp_path / name).write_text(name)
    artifact.seal(tmp_path)
    return tmp_path


def test_a_sealed_folder_verifies(sealed: Path) -> None:
    assert set(artifact.verify(sealed)) == set(artifact.SEALED)


@pytest.mark.parametrize("name", artifact.SEALED)
def test_an_altered_file_is_named(sealed: Path, name: str) -> None:
    (sealed / name).write_text("other")
    with pytest.raises(artifact.ArtifactError, match=f"altered since it was sealed: {name}"):
        artifact.verify(sealed)


def test_a_file_missing_or_added_breaks_the_seal(sealed: Path) -> None:
    (sealed / "model.pkl").touch()
    with pytest.raises(artifact.ArtifactError, match=r"model\.pkl"):
        artifact.verify(sealed)
    (sealed / "model.pkl").unlink()
    (sealed / artifact.MODEL).unlink()
    with pytest.raises(artifact.ArtifactError, match="an artifact holds"):
        artifact.verify(sealed)


@pytest.mark.parametrize("text", [None, "", "{", "{}"])
def test_a_seal_that_is_missing_or_broken_is_refused(sealed: Path, text: str | None) -> None:
    if text is None:
        (sealed / artifact.DIGESTS).unlink()
    else:
        (sealed / artifact.DIGESTS).write_text(text)
    with pytest.raises(artifact.ArtifactError):
        artifact.verify(sealed)
