"""Endpoint configurations: the variants of an endpoint, and what SageMaker refuses of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.sagemaker import refuse
from local.sagemaker.endpoints.models import added, deletion
from local.sagemaker.errors import invalid
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import ENDPOINT_CONFIG, MODEL


class Configurations:
    """The operations on endpoint configurations."""

    def __init__(self, backend: Backend) -> None:
        self._state = backend.state

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {
            "CreateEndpointConfig": self._create,
            "DeleteEndpointConfig": deletion(self._state, ENDPOINT_CONFIG),
        }

    def _create(self, call: Call) -> dict[str, Any]:
        refuse.beyond(
            call.arguments,
            "AsyncInferenceConfig",
            "ExplainerConfig",
            "MetricsConfig",
            "VpcConfig",
        )
        production, shadow = call["ProductionVariants"], call.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in [*production, *shadow]]
        if len(set(names)) != len(names):
            raise invalid("Variant names must be unique within an endpoint configuration.")
        for variant in [*production, *shadow]:
            self._check_variant(variant, call)
        if shadow:
            _check_shadow(production, shadow)
        if role := call.get("ExecutionRoleArn"):
            call.require_pass_role(role)
        variants = {"ProductionVariants": [{"InitialVariantWeight": 1.0, **each} for each in production]}
        if shadow:
            variants["ShadowProductionVariants"] = [{"InitialVariantWeight": 1.0, **each} for each in shadow]
        record = added(self._state, ENDPOINT_CONFIG, call, variants)
        return {"EndpointConfigArn": record["EndpointConfigArn"]}

    def _check_variant(self, variant: Mapping[str, Any], call: Call) -> None:
        refuse.beyond(
            variant,
            "AcceleratorType",
            "CapacityReservationConfig",
            "CoreDumpConfig",
            "InstancePools",
            "ManagedInstanceScaling",
            "RoutingConfig",
        )
        if "ModelName" not in variant:
            refuse.unless(variant["VariantName"], "a production variant without a ModelName")
        model = self._state.get(MODEL, variant["ModelName"])
        if "ServerlessConfig" in variant:
            _check_serverless(variant, model, call)


def _check_shadow(production: list[Mapping[str, Any]], shadow: list[Mapping[str, Any]]) -> None:
    """One variant in shadow of one that answers, both with instances."""
    if len(production) > 1 or len(shadow) > 1:
        raise invalid(
            "An endpoint with a shadow variant can have one variant in ProductionVariants and one in "
            "ShadowProductionVariants."
        )
    if not production[0].get("InitialVariantWeight", 1.0):
        raise invalid("A production variant with a shadow variant must have a weight above 0.")


def _check_serverless(variant: Mapping[str, Any], model: Mapping[str, Any], call: Call) -> None:
    """What SageMaker does for instances only is refused of a serverless variant."""
    serverless = variant["ServerlessConfig"]
    refuse.beyond(serverless, "ProvisionedConcurrency")
    if serverless["MemorySizeInMB"] % 1024:
        raise invalid("MemorySizeInMB must be a multiple of 1024.")
    instances = {"InstanceType", "InitialInstanceCount"} & variant.keys()
    unsupported = {
        "instances": instances,
        "more than one production variant": len(call["ProductionVariants"]) > 1,
        "shadow variants": call.get("ShadowProductionVariants"),
        "data capture": call.get("DataCaptureConfig", {}).get("EnableCapture"),
        "network isolation": model.get("EnableNetworkIsolation"),
    }
    for feature, asked in unsupported.items():
        if asked:
            raise invalid(f"Serverless Inference does not support {feature}.")
