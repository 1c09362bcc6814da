"""Arguments held against botocore's shapes."""

from __future__ import annotations

from typing import Any

import pytest

from local.sagemaker.errors import ServiceError
from local.sagemaker.pipelines.steps import coerce
from local.sagemaker.shapes import check, input_shape

VARIANT = {"VariantName": "live", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}


def refusal(operation: str, arguments: dict[str, Any]) -> ServiceError:
    with pytest.raises(ServiceError) as found:
        check(operation, arguments)
    return found.value


def test_good_arguments_pass() -> None:
    check("CreateEndpointConfig", {"EndpointConfigName": "c", "ProductionVariants": [VARIANT]})


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence"),
    [
        (
            "DescribeModel",
            {},
            "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [{**VARIANT, "InstanceType": "ml.huge"}]},
            "1 validation error detected: Value 'ml.huge' at 'productionVariants.1.member.instanceType' failed to "
            "satisfy constraint: Member must satisfy enum value set: [",
        ),
        (
            "DescribeEndpoint",
            {"EndpointName": "-x"},
            "1 validation error detected: Value '-x' at 'endpointName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ",
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": []},
            "1 validation error detected: Value '[]' at 'productionVariants' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            "CreateEndpointConfig",
            {"EndpointConfigName": "c", "ProductionVariants": [{**VARIANT, "InitialInstanceCount": 0}]},
            "1 validation error detected: Value '0' at 'productionVariants.1.member.initialInstanceCount' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "DescribeModel",
            {"ModelName": "m", "Colour": 1},
            "1 validation error detected: Value at 'colour' failed",
        ),
    ],
)
def test_violation_is_told_in_awss_words(operation: str, arguments: dict[str, Any], sentence: str) -> None:
    error = refusal(operation, arguments)
    assert error.code == "ValidationException"
    assert error.message.startswith(sentence)


def test_every_violation_is_told() -> None:
    error = refusal("CreateEndpoint", {"EndpointName": "-"})
    assert error.message.startswith("2 validation errors detected: ")


def test_wrong_type_does_not_parse() -> None:
    assert refusal("DescribeModel", {"ModelName": 7}).code == "SerializationException"


@pytest.mark.parametrize("value", ["runs/1", "ünï çödé", "a.b:c_d@e"])
def test_javas_character_classes_are_understood(value: str) -> None:
    package = "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1"
    check("UpdateModelPackage", {"ModelPackageArn": package, "CustomerMetadataProperties": {"k": value}})


def test_numbers_written_as_strings_become_numbers_where_numbers_belong() -> None:
    arguments = {"StoppingCondition": {"MaxRuntimeInSeconds": "60"}, "Environment": {"PORT": "80"}}
    assert coerce(arguments, input_shape("CreateProcessingJob")) == {
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Environment": {"PORT": "80"},
    }
