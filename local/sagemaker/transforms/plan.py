"""What CreateTransformJob asks for, as a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.sagemaker import refuse, storage
from local.sagemaker.errors import invalid

MAX_PAYLOAD_PRODUCT = 100
"""SageMaker's limit on MaxConcurrentTransforms times MaxPayloadInMB."""
DEFAULT_PAYLOAD_MB = 6


@dataclass(frozen=True, kw_only=True)
class TransformPlan:
    """One transform job. `source` is an S3 prefix, or a manifest's object; sizes are in bytes."""

    name: str
    source: str
    is_manifest: bool
    target: str
    headers: Mapping[str, str]
    kms_key: str | None
    instances: int
    concurrency: int
    max_payload: int
    timeout: float
    retries: int
    environment: Mapping[str, str]


def plan(arguments: Mapping[str, Any]) -> TransformPlan:
    """Plan of a transform job.

    Raises:
        ServiceError: 501 for what is not implemented, ValidationException for what AWS refuses.
    """
    _refuse(arguments)
    source = arguments["TransformInput"]
    output, resources = arguments["TransformOutput"], arguments["TransformResources"]
    client = arguments.get("ModelClientConfig", {})
    concurrency = arguments.get("MaxConcurrentTransforms") or 1
    payload = arguments.get("MaxPayloadInMB", DEFAULT_PAYLOAD_MB)
    if concurrency * payload > MAX_PAYLOAD_PRODUCT:
        raise invalid("MaxConcurrentTransforms * MaxPayloadInMB must not exceed 100 MB.")
    headers = {"Content-Type": source.get("ContentType"), "Accept": output.get("Accept")}
    return TransformPlan(
        name=arguments["TransformJobName"],
        source=source["DataSource"]["S3DataSource"]["S3Uri"],
        is_manifest=source["DataSource"]["S3DataSource"]["S3DataType"] == "ManifestFile",
        target=output["S3OutputPath"].rstrip("/"),
        headers={name: value for name, value in headers.items() if value},
        kms_key=output.get("KmsKeyId"),
        instances=resources["InstanceCount"],
        concurrency=concurrency,
        max_payload=payload * 1024 * 1024,
        timeout=client.get("InvocationsTimeoutInSeconds", 600),
        retries=client.get("InvocationsMaxRetries", 3),
        environment={
            **arguments.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(concurrency),
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload),
        },
    )


def parts(s3: Any, plan: TransformPlan) -> list[tuple[str, str]]:
    """The URI of each input object, and its name under the prefix.

    Raises:
        botocore ClientError: as S3 refuses.
    """
    if not plan.is_manifest:
        bucket, prefix = storage.parse(plan.source)
        keys = storage.list_keys(s3, plan.source)
        return [(f"s3://{bucket}/{key}", storage.relative_name(key, prefix)) for key in keys]
    bucket, key = storage.parse(plan.source)
    first, *names = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    return [(first["prefix"] + name, name) for name in names]


def _refuse(arguments: Mapping[str, Any]) -> None:
    refuse.beyond(arguments, "DataProcessing", "DataCaptureConfig", "ExperimentConfig")
    source, output = arguments["TransformInput"], arguments["TransformOutput"]
    refuse.unless(arguments.get("BatchStrategy"), "BatchStrategy", "SingleRecord")
    refuse.unless(source.get("SplitType"), "SplitType", "None")
    refuse.unless(source.get("CompressionType"), "CompressionType", "None")
    refuse.unless(output.get("AssembleWith"), "AssembleWith", "None")
    kind = source["DataSource"]["S3DataSource"]["S3DataType"]
    refuse.unless(kind, "S3DataType", "S3Prefix", "ManifestFile")
