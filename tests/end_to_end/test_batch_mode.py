"""A model without an endpoint: trained, released, and every upload scored by the batch path."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from cli import samples
from contract import layout
from tests.end_to_end.laptop import Laptop, Model, table

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def nightly(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model `tumor` under another name, of mode "batch", trained and live."""
    model = laptop.like_tumor("nightly", mode="batch")
    model.train(samples.write_csv(tmp_path_factory.mktemp("data") / "tumors.csv", *samples.tumors()))
    return model


def test_a_small_upload_is_scored_though_nothing_serves(nightly: Model) -> None:
    header, everything = samples.tumors()
    key = "score/night.csv"
    version = nightly.upload(key, table(header[:-1], [row[:-1] for row in everything[:10]]))
    rows = nightly.result(key, version)
    assert [row["rejected"] for row in rows] == [""] * 10
    assert {row["model_version"] for row in rows} == {nightly.live()["model_version"]}
    with pytest.raises(ClientError, match="Could not find"):
        nightly.laptop.client("sagemaker").describe_endpoint(
            EndpointName=layout.resource_name("local", nightly.name)
        )
    assert "no endpoint" in nightly.laptop.millrace("status", "--model", nightly.name)
