from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contract.dataset import Manifest, PinnedObject

objects = st.builds(
    PinnedObject,
    key=st.text(min_size=1),
    version_id=st.text(),
    sha256=st.text(),
    size=st.integers(min_value=0),
)


@given(st.lists(objects, max_size=5), st.randoms())
def test_the_order_of_objects_does_not_matter_and_nothing_else_is_lost(
    found: list[PinnedObject], random: object
) -> None:
    manifest = Manifest.of(found)
    assert Manifest.of(reversed(found)).version == manifest.version
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_any_change_is_another_version() -> None:
    one = PinnedObject(key="training/a.csv", version_id="1", sha256="ab", size=3)
    versions = {
        Manifest.of([each]).version for each in (one, replace(one, version_id="2"), replace(one, sha256="cd"))
    }
    assert len(versions) == 3


def test_copies_keep_their_names_and_never_collide() -> None:
    one, other = (
        PinnedObject(key=key, version_id="", sha256="", size=0)
        for key in ("training/x/a.csv", "training/y/a.csv")
    )
    assert one.copy_name.endswith("-a.csv")
    assert one.copy_name != other.copy_name
