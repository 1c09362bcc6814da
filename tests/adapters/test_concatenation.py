"""Every byte is in the new object once and in order, and only the last part may be too small for S3."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapters.concatenation import MAX_COPY_BYTES, MIN_PART_BYTES, Range, plan

sizes = st.one_of(
    st.integers(1, 1000),
    st.integers(MIN_PART_BYTES - 2, 2 * MIN_PART_BYTES + 2),
    st.integers(MAX_COPY_BYTES - 2, 3 * MAX_COPY_BYTES),
)


@given(st.lists(sizes, max_size=20))
def test_parts_are_the_ranges_and_as_large_as_s3_wants_them(sizes: list[int]) -> None:
    ranges = [Range(str(number), 7, size) for number, size in enumerate(sizes)]
    parts = plan(ranges)
    assert all(sum(r.size for r in part.ranges) >= MIN_PART_BYTES for part in parts[:-1])
    for part in parts:
        if part.copied:
            [copied] = part.ranges
            assert MIN_PART_BYTES <= copied.size < MAX_COPY_BYTES + MIN_PART_BYTES
        else:
            assert sum(r.size for r in part.ranges) < 3 * MIN_PART_BYTES
    joined: list[Range] = []
    for each in (r for part in parts for r in part.ranges):
        if joined and joined[-1].key == each.key:
            assert joined[-1].start + joined[-1].size == each.start
            joined[-1] = joined[-1]._replace(size=joined[-1].size + each.size)
        else:
            joined.append(each)
    assert joined == ranges


def test_what_is_large_enough_is_not_sent() -> None:
    whole = [Range(key, 0, MIN_PART_BYTES) for key in "abc"]
    assert [part.copied for part in plan(whole)] == [True, True, True]
    assert [part.copied for part in plan([Range("a", 0, 10), *whole[1:]])] == [False, True]
