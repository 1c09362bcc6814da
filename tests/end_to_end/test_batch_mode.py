"""A model that loses its endpoint and gets one again; without one, every upload is scored by the batch path."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.kit import samples
from contract import layout
from tests.end_to_end.laptop import Laptop, Model, eventually, table

pytestmark = pytest.mark.local_cloud

HEADER, ROWS = samples.tumors()
UPLOAD = table(HEADER[:-1], [row[:-1] for row in ROWS[:10]])


@pytest.fixture(scope="module")
def nightly(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model `tumor` under another name, trained and live on an endpoint."""
    model = laptop.like_tumor("nightly", mode="endpoint")
    model.train(samples.write_csv(tmp_path_factory.mktemp("data") / "tumors.csv", *samples.tumors()))
    return model


def endpoint(model: Model) -> Any:
    """The status of the model's endpoint, if it has one."""
    name = layout.resource_name("local", model.name)
    try:
        found = model.laptop.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if "Could not find" not in str(error):
            raise
        return None
    return found["EndpointStatus"]


def scored(model: Model, key: str) -> list[str]:
    rows = model.result(key, model.upload(key, UPLOAD))
    assert [row["rejected"] for row in rows] == [""] * 10
    assert {row["model_version"] for row in rows} == {model.live()["model_version"]}
    return [row["probability"] for row in rows]


def test_without_its_endpoint_it_scores_the_same_by_batches_and_gets_one_again(nightly: Model) -> None:
    laptop = nightly.laptop
    assert endpoint(nightly) == "InService"

    without = laptop.switch(nightly, "batch")
    eventually(lambda: endpoint(without) is None, within=30, what="the endpoint is deleted")
    by_batch = scored(without, "score/night.csv")
    assert "no endpoint" in laptop.millrace("status", "--model", nightly.name)

    again = laptop.switch(without, "endpoint")
    assert endpoint(again) == "InService"
    assert scored(again, "score/day.csv") == by_batch
