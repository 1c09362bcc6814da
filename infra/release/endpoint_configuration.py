"""An endpoint's configuration: the model, its instances, and the capture of its requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract.names.live import Approved, Live
from contract.serving import CSV, JSON, JSON_LINES
from infra.settings.environment import ServingSettings

VARIANT = "live"
"""The variant's name, the same in every configuration: metrics and canary releases need it to be."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """The share of requests that is kept, and the place."""

    percent: int
    uri: str

    def to_dict(self, key_arn: str) -> dict[str, Any]:
        """The DataCaptureConfig: requests and answers as text, encrypted with a key."""
        return {
            "EnableCapture": self.percent > 0,
            "InitialSamplingPercentage": self.percent,
            "DestinationS3Uri": self.uri,
            "KmsKeyId": key_arn,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Of any other type SageMaker keeps Base64.
            "CaptureContentTypeHeader": {"CsvContentTypes": [CSV], "JsonContentTypes": [JSON, JSON_LINES]},
        }


@dataclass(frozen=True, kw_only=True)
class EndpointConfiguration:
    """The arguments of CreateEndpointConfig, but for what a release decides."""

    key_arn: str
    serving: ServingSettings
    has_instances: bool
    """False for a serverless endpoint, of which SageMaker captures nothing."""
    capture: Capture | None

    def to_dict(self) -> dict[str, Any]:
        """All of them; `$.model_name` serves under the name `$.endpoint_config_name`."""
        variant = {
            "VariantName": VARIANT,
            "ModelName.$": f"$.{Live.MODEL_NAME}",
            "InitialVariantWeight": 1,
            **self._size(),
        }
        return {
            "EndpointConfigName.$": f"$.{Approved.ENDPOINT_CONFIG_NAME}",
            "KmsKeyId": self.key_arn,
            "ProductionVariants": [variant],
            **({"DataCaptureConfig": self.capture.to_dict(self.key_arn)} if self.capture else {}),
        }

    def _size(self) -> dict[str, Any]:
        if self.has_instances:
            return {
                "InstanceType": self.serving.instance_type,
                "InitialInstanceCount": self.serving.min_instances,
            }
        return {
            "ServerlessConfig": {
                "MemorySizeInMB": self.serving.serverless_memory_mib,
                "MaxConcurrency": self.serving.serverless_max_concurrency,
            }
        }
