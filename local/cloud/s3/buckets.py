"""Encryption, lifecycle, access logs, tags and ownership of a template's buckets: ministack drops them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import botocore.serialize
import botocore.session
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local.cloud import patching
from local.cloud.iam.encryption import SSE_KEY_HEADER

Properties = Mapping[str, Any]
MANAGED_KEY = "alias/aws/s3"


def install() -> None:
    """Add them to the table of properties that ministack stores through S3's API."""
    to_xml = _Serializer()
    added = (
        ("BucketEncryption", to_xml("PutBucketEncryption", _encryption), "encryption"),
        ("LifecycleConfiguration", to_xml("PutBucketLifecycleConfiguration", _lifecycle), "lifecycle"),
        ("LoggingConfiguration", to_xml("PutBucketLogging", _logging), "logging"),
        ("Tags", to_xml("PutBucketTagging", _tags), "tagging"),
        ("OwnershipControls", to_xml("PutBucketOwnershipControls", _ownership), "ownership_controls"),
    )
    provisioners._S3_BUCKET_CONFIGURATIONS = (
        *provisioners._S3_BUCKET_CONFIGURATIONS,
        *(
            (name, xml, getattr(s3, f"_put_bucket_{what}"), getattr(s3, f"_delete_bucket_{what}", _keep))
            for name, xml, what in added
        ),
    )
    patching.replace(s3, "_resolve_sse_write_headers", "headers bucket_name", _with_managed_key)


def _with_managed_key(original: Callable[..., Any]) -> Callable[..., Any]:
    """A write that asks for KMS without naming a key gets the account's own, as the CDK CLI expects."""

    def resolve(headers: dict[str, str], bucket_name: str) -> Any:
        if headers.get("x-amz-server-side-encryption") == "aws:kms":
            headers = {SSE_KEY_HEADER: MANAGED_KEY, **headers}
        return original(headers, bucket_name)

    return resolve


def _encryption(properties: Properties) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": bool(rule.get("BucketKeyEnabled")),
        }
        for rule in properties["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(properties: Properties) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_rule(rule) for rule in properties["Rules"]]}}


def _rule(rule: Properties) -> dict[str, Any]:
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    return _present(
        {
            "ID": rule.get("Id"),
            "Status": rule["Status"],
            "Filter": {"Prefix": rule.get("Prefix", "")},
            "Expiration": _present(expiration),
            "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
            "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
            "Transitions": [
                _present({"Days": move.get("TransitionInDays"), "StorageClass": move["StorageClass"]})
                for move in rule.get("Transitions", [])
            ],
            "NoncurrentVersionTransitions": [
                {"NoncurrentDays": move["TransitionInDays"], "StorageClass": move["StorageClass"]}
                for move in rule.get("NoncurrentVersionTransitions", [])
            ],
        }
    )


def _logging(properties: Properties) -> dict[str, Any]:
    enabled = {
        "TargetBucket": properties["DestinationBucketName"],
        "TargetPrefix": properties.get("LogFilePrefix", ""),
    }
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def _ownership(properties: Properties) -> dict[str, Any]:
    return {"OwnershipControls": {"Rules": properties["Rules"]}}


def _tags(tags: Properties) -> dict[str, Any]:
    return {"Tagging": {"TagSet": tags}}


def _present(values: Properties) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, {}, [])}


def _keep(_bucket: str) -> None:
    """S3 has no call that removes this; the bucket keeps it, as on AWS until it is set anew."""


class _Serializer:
    """Writes an S3 request's body as boto3 would."""

    def __init__(self) -> None:
        self._model = botocore.session.get_session().get_service_model("s3")
        self._serializer = botocore.serialize.create_serializer("rest-xml")

    def __call__(
        self, operation: str, translate: Callable[[Properties], dict[str, Any]]
    ) -> Callable[[Properties], bytes]:
        model = self._model.operation_model(operation)

        def to_xml(properties: Properties) -> bytes:
            request = {"Bucket": "named-elsewhere", **translate(properties)}
            body: bytes = self._serializer.serialize_to_request(request, model)["body"]
            return body

        return to_xml
