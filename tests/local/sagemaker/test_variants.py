"""Several production variants of one endpoint, and shadow variants. Each test names AWS's page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.serving import ask, model, running, variant
from tests.local.sagemaker.test_capture import ALL, records
from tests.local.sagemaker.workbench import BUCKET, Workbench, wait_for

pytestmark = pytest.mark.local_cloud


@pytest.fixture(scope="module")
def two(workbench: Workbench) -> Iterator[str]:
    """An endpoint of two variants, of which `candidate` gets a tenth of the requests."""
    name = model(workbench, "blue")
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            variant(name, InitialVariantWeight=9),
            variant(model(workbench, "green"), VariantName="candidate"),
        ],
    )
    with running(workbench, name) as endpoint:
        yield endpoint


def weigh(workbench: Workbench, endpoint: str, **weights: float) -> None:
    workbench.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
        ],
    )
    workbench.endpoint(endpoint)


def releases(workbench: Workbench, endpoint: str, count: int = 60) -> Counter[str]:
    return Counter(ask(workbench, endpoint)["release"] for _ in range(count))


def test_requests_are_distributed_by_weight_over_the_sum_of_weights(workbench: Workbench, two: str) -> None:
    """API_ProductionVariant: traffic is "the ratio of the VariantWeight to the sum of all VariantWeight"."""
    weigh(workbench, two, live=9, candidate=1)
    found = releases(workbench, two, 200)
    assert found["blue"] + found["green"] == 200
    assert 4 <= found["green"] <= 44  # by chance outside of this once in 10,000 runs


def test_target_variant_overrides_the_distribution(workbench: Workbench, two: str) -> None:
    """model-ab-testing.html: "the targeted routing overrides the random traffic distribution"."""
    weigh(workbench, two, live=1, candidate=0)
    found = [ask(workbench, two, TargetVariant="candidate") for _ in range(5)]
    assert {(answer["variant"], answer["release"]) for answer in found} == {("candidate", "green")}
    with pytest.raises(ClientError, match="Variant nobody of endpoint"):
        ask(workbench, two, TargetVariant="nobody")


def test_weights_change_without_a_new_configuration(workbench: Workbench, two: str) -> None:
    """model-ab-testing.html, step 4: a weight of 0 sends all requests to the other variant."""
    before = workbench.endpoint(two)["EndpointConfigName"]
    weigh(workbench, two, live=0, candidate=1)
    assert releases(workbench, two, 20) == {"green": 20}
    weigh(workbench, two, live=1, candidate=0)
    assert releases(workbench, two, 20) == {"blue": 20}
    described = workbench.endpoint(two)
    assert described["EndpointConfigName"] == before
    weights = {each["VariantName"]: each["CurrentWeight"] for each in described["ProductionVariants"]}
    assert weights == {"live": 1, "candidate": 0}


def test_metrics_have_the_variant_and_the_configuration_as_dimensions(workbench: Workbench, two: str) -> None:
    """deployment-guardrails-configuration.html: EndpointName, VariantName and, apart, EndpointConfigName."""
    ask(workbench, two, TargetVariant="candidate")
    config = workbench.endpoint(two)["EndpointConfigName"]
    both = {"EndpointName": two, "VariantName": "candidate"}
    for dimensions in (both, {**both, "EndpointConfigName": config}):
        assert workbench.total("AWS/SageMaker", "Invocations", **dimensions) >= 1
        assert workbench.total("AWS/SageMaker", "ModelLatency", **dimensions) > 0
    assert workbench.total("AWS/SageMaker", "Invocations", **both, EndpointConfigName="other") == 0


@pytest.fixture(scope="module")
def shadowed(workbench: Workbench) -> Iterator[str]:
    """An endpoint whose requests are mirrored to a model that answers only errors to `boom`."""
    name = model(workbench, "blue")
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant(name)],
        ShadowProductionVariants=[variant(model(workbench, "green"), VariantName="shadow")],
        DataCaptureConfig={**ALL, "DestinationS3Uri": f"s3://{BUCKET}/captured"},
    )
    with running(workbench, name) as endpoint:
        yield endpoint


def test_only_the_production_variant_answers_and_the_shadow_gets_a_copy(
    workbench: Workbench, shadowed: str
) -> None:
    """shadow-tests.html: "Only the responses of the production variant are returned"; both can be logged."""
    answers = [
        ask(workbench, shadowed, f"n{number}", InferenceId=f"id-{number}", ContentType="text/csv")
        for number in range(5)
    ]
    assert {(answer["variant"], answer["release"]) for answer in answers} == {("live", "blue")}
    for name, release in (("live", "blue"), ("shadow", "green")):
        kept = records(workbench, f"{shadowed}/{name}", 5)
        pairs = {
            record["eventMetadata"]["inferenceId"]: record["captureData"]["endpointInput"]["data"]
            for record in kept
        }
        assert pairs == {f"id-{number}": f"n{number}" for number in range(5)}
        assert all(f'"release": "{release}"' in r["captureData"]["endpointOutput"]["data"] for r in kept)


def test_a_shadow_variant_has_metrics_of_its_own_and_its_errors_reach_nobody(
    workbench: Workbench, shadowed: str
) -> None:
    """shadow-tests-view-monitor-edit-dashboard.html compares the variants' invocation metrics."""
    both = {"EndpointName": shadowed, "VariantName": "shadow"}
    before = workbench.total("AWS/SageMaker", "Invocation5XXErrors", **both)
    with pytest.raises(ClientError):  # the production variant's own error, not its shadow's
        ask(workbench, shadowed, "boom")
    wait_for(
        lambda: workbench.total("AWS/SageMaker", "Invocation5XXErrors", **both) == before + 1, "its error"
    )


def test_an_endpoint_with_a_shadow_describes_it_apart(workbench: Workbench, shadowed: str) -> None:
    """API_DescribeEndpoint: ShadowProductionVariants beside ProductionVariants."""
    described = workbench.endpoint(shadowed)
    assert [each["VariantName"] for each in described["ProductionVariants"]] == ["live"]
    assert [each["VariantName"] for each in described["ShadowProductionVariants"]] == ["shadow"]
    with pytest.raises(ClientError, match="Variant shadow of endpoint"):
        ask(workbench, shadowed, TargetVariant="shadow")


def test_a_shadows_weight_is_the_share_that_is_mirrored(workbench: Workbench) -> None:
    """API_ShadowModelVariantConfig: "the percentage of inference requests that SageMaker replicates"."""
    name = model(workbench, "blue")
    shadow = variant(model(workbench, "green"), VariantName="shadow", InitialVariantWeight=0)
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant(name)],
        ShadowProductionVariants=[shadow],
        DataCaptureConfig=ALL,
    )
    with running(workbench, name) as endpoint:
        ask(workbench, endpoint)
        records(workbench, f"{endpoint}/live", 1)
        assert (
            workbench.total("AWS/SageMaker", "Invocations", EndpointName=endpoint, VariantName="shadow") == 0
        )


def test_one_shadow_of_one_production_variant(workbench: Workbench) -> None:
    """API_CreateEndpointConfig: "you can only specify one variant for" each."""
    name = model(workbench, "blue")
    with pytest.raises(ClientError, match="one variant in ProductionVariants and one in Shadow"):
        workbench.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[variant(name), variant(name, VariantName="other")],
            ShadowProductionVariants=[variant(name, VariantName="shadow")],
        )


def test_serverless_endpoints_have_no_shadow(workbench: Workbench) -> None:
    """shadow-tests.html, exclusions: serverless inference."""
    name = model(workbench, "blue")
    live = {
        "VariantName": "live",
        "ModelName": name,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    with pytest.raises(ClientError, match="Serverless Inference does not support shadow variants"):
        workbench.sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[live],
            ShadowProductionVariants=[variant(name, VariantName="shadow")],
        )
