from __future__ import annotations

import pytest

from contract.serving import is_result_column, probability_column


@pytest.mark.parametrize(
    "name", ["prediction", "probability", "rejected", "model_version", probability_column("a")]
)
def test_columns_that_a_result_adds(name: str) -> None:
    assert is_result_column(name)


@pytest.mark.parametrize("name", ["Prediction", "probable", "rejected_by", "", "model"])
def test_columns_that_an_upload_may_have(name: str) -> None:
    assert not is_result_column(name)
