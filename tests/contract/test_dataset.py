from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contract.documents.dataset import Manifest, PinnedObject

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


def test_other_bytes_or_keys_are_another_version_and_other_version_ids_are_not() -> None:
    one = PinnedObject(key="training/a.csv", version_id="1", sha256="ab", size=3)
    again = replace(one, version_id="2")
    others = [replace(one, sha256="cd"), replace(one, key="training/b.csv")]
    version = Manifest.of([one]).version
    assert Manifest.of([again]).version == version
    assert len({version, *(Manifest.of([other]).version for other in others)}) == 3
    assert Manifest.of([one, others[1]]).version != version


def test_what_is_said_of_a_key_is_never_taken_for_another() -> None:
    found = {
        Manifest.of([PinnedObject(key=key, version_id="", sha256=digest, size=0)]).version
        for key, digest in [('a"', "b"), ("a", '"b'), ("ab", ""), ("", "ab"), ("a,b", ""), ("a", ",b")]
    }
    assert len(found) == 6


def test_copies_keep_their_names_and_never_collide() -> None:
    one, other = (
        PinnedObject(key=key, version_id="", sha256="", size=0)
        for key in ("training/x/a.csv", "training/y/a.csv")
    )
    assert one.copy_name.endswith("-a.csv")
    assert one.copy_name != other.copy_name
