"""The loop is deleted and deployed again with everything live; all is deleted and deployed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.kit import samples
from tests.end_to_end.laptop import Laptop, Model, eventually, table

pytestmark = [pytest.mark.local_cloud, pytest.mark.long, pytest.mark.timeout(900)]

HEADER, ROWS = samples.tumors()
UPLOAD = table(HEADER[:-1], [row[:-1] for row in ROWS[:10]])
NAME = "phoenix"
STACK = f"millrace-local-{NAME}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return samples.write_csv(tmp_path / "tumors.csv", *samples.tumors())


def scored(model: Model, key: str) -> list[tuple[str, str]]:
    rows = model.result(key, model.upload(key, UPLOAD))
    assert [row["rejected"] for row in rows] == [""] * 10
    return [(row["probability"], row["model_version"]) for row in rows]


def servers(laptop: Laptop) -> Any:
    """How many instances serve."""
    [variant] = laptop.client("sagemaker").describe_endpoint(EndpointName=STACK)["ProductionVariants"]
    return variant["CurrentInstanceCount"]


def scale(laptop: Laptop, instances: int) -> None:
    """Ask for instances, which start under the role of the model that is live."""
    wanted = [{"VariantName": "live", "DesiredInstanceCount": instances}]
    laptop.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=STACK, DesiredWeightsAndCapacities=wanted
    )
    eventually(lambda: servers(laptop) == instances, within=60, what=f"{instances} instances serve")


def batches_only(model: Model) -> None:
    """Nothing is small enough for the endpoint any more."""
    functions, name = model.laptop.client("lambda"), model.outputs["ScoreUploadFunction"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "MAX_UPLOAD_BYTES": "0"}}
    )


def test_what_is_live_outlives_the_loop_and_all_can_be_made_anew(laptop: Laptop, data: Path) -> None:
    model = laptop.like_tumor(NAME, mode="endpoint")
    model.train(data)
    before = scored(model, "score/before.csv")

    # A function that is called while its stack is deleted may have no role any more.
    laptop.broken.add(f"{STACK}-loop")
    laptop.destroy(NAME, f"{STACK}-loop")
    laptop.millrace("deploy", "--model", NAME)

    again = laptop.model(NAME)
    assert again.outputs["DataBucket"] == model.outputs["DataBucket"]
    assert again.live() == model.live()
    assert scored(again, "score/small.csv") == before
    scale(laptop, 2)
    batches_only(again)
    assert scored(again, "score/large.csv") == before

    ended = laptop.client("sagemaker")
    scaled = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    laptop.client("application-autoscaling").deregister_scalable_target(
        **scaled, ResourceId=f"endpoint/{STACK}/variant/live"
    )
    ended.delete_endpoint(EndpointName=STACK)
    laptop.client("ssm").delete_parameter(Name=f"/millrace/local/{NAME}/live")
    laptop.destroy(NAME, f"{STACK}-loop", f"{STACK}-storage")
    laptop.millrace("deploy", "--model", NAME)

    anew = laptop.model(NAME)
    assert anew.outputs["DataBucket"] != model.outputs["DataBucket"]
    laptop.millrace("deploy", "--model", NAME)
    anew.train(data)
    assert anew.live()["model_version"] == f"{STACK}/2", "versions go on being numbered where they ended"
    assert len(scored(anew, "score/anew.csv")) == 10
