from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.serving import MAX_ATTRIBUTES, Attributes, is_result_column, probability_column

counts = st.integers(0, 10**9)


@pytest.mark.parametrize(
    "name", ["prediction", "probability", "rejected", "model_version", probability_column("a")]
)
def test_columns_that_a_result_adds(name: str) -> None:
    assert is_result_column(name)


@pytest.mark.parametrize("name", ["Prediction", "probable", "rejected_by", "", "model"])
def test_columns_that_an_upload_may_have(name: str) -> None:
    assert not is_result_column(name)


@given(unseen=st.dictionaries(st.text(max_size=20), counts, max_size=200), rows=counts, rejected=counts)
def test_attributes_are_read_as_they_were_written_but_for_the_least(
    unseen: dict[str, int], rows: int, rejected: int
) -> None:
    told = Attributes(model_version="millrace-prod-tumor/3", rows=rows, rejected=rejected, unseen=unseen)
    assert len(str(told)) <= MAX_ATTRIBUTES
    assert str(told).isascii()
    read = Attributes.parse(str(told))
    assert (read.model_version, read.rows, read.rejected) == (told.model_version, rows, rejected)
    assert read.unseen.items() <= unseen.items()
    assert min(read.unseen.values(), default=10**9) >= max(
        (count for name, count in unseen.items() if name not in read.unseen), default=0
    )
    if len(unseen) < 5:
        assert read == told


@pytest.mark.parametrize(
    "text", ["m/1;rows=1", "m/1;rows=-1;rejected=0", "m/1;rows=1;rejected=0;unseen=a:x", "m/1;x"]
)
def test_other_attributes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Attributes.parse(text)
