"""A serverless model: trained, released and scored as any other, with no process while nobody asks."""

from __future__ import annotations

import pytest

from cli.kit import samples
from tests.end_to_end.laptop import Laptop, Model, table

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def serverless(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model `tumor` under another name, serverless, trained and live."""
    model = laptop.like_tumor("rare", mode="serverless")
    model.train(samples.write_csv(tmp_path_factory.mktemp("data") / "tumors.csv", *samples.tumors()))
    return model


def test_an_upload_and_a_request_are_scored_without_instances(serverless: Model) -> None:
    header, everything = samples.tumors()
    body = table(header[:-1], [row[:-1] for row in everything[:10]])
    rows = serverless.result("score/rare.csv", serverless.upload("score/rare.csv", body))
    assert [row["rejected"] for row in rows] == [""] * 10
    endpoint = serverless.outputs["Endpoint"]
    answer = serverless.laptop.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Body=body
    )
    assert len(answer["Body"].read().splitlines()) == 10
    described = serverless.laptop.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    [variant] = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MaxConcurrency"] > 0
    assert "CurrentInstanceCount" not in variant
