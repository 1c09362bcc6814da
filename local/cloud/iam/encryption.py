"""Which customer-managed KMS key protects a resource, and what a call on the resource needs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ministack.services import kms, s3, sns, sqs

SSE_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"


def key_of_object(object_arn: str) -> str | None:
    """Key that the object's bucket encrypts with unless told otherwise."""
    bucket = object_arn.removeprefix("arn:aws:s3:::").partition("/")[0]
    return _customer_key(s3._bucket_default_sse_headers(bucket).get(SSE_KEY_HEADER))


def key_of_queue(queue_arn: str) -> str | None:
    """Key of an encrypted queue."""
    queue = sqs._queue_by_arn(queue_arn)
    return _customer_key(queue["attributes"].get("KmsMasterKeyId")) if queue else None


def key_of_topic(topic_arn: str) -> str | None:
    """Key of an encrypted topic."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    return _customer_key(topic.get("attributes", {}).get("KmsMasterKeyId")) if topic else None


_IMPLIED: dict[str, tuple[tuple[str, ...], Callable[[str], str | None]]] = {
    "s3:GetObject": (("kms:Decrypt",), key_of_object),
    "s3:GetObjectVersion": (("kms:Decrypt",), key_of_object),
    "s3:PutObject": (("kms:GenerateDataKey",), key_of_object),
    "sqs:SendMessage": (("kms:GenerateDataKey", "kms:Decrypt"), key_of_queue),
    "sqs:ReceiveMessage": (("kms:Decrypt",), key_of_queue),
    "sns:Publish": (("kms:GenerateDataKey", "kms:Decrypt"), key_of_topic),
}


def implied_checks(action: str, resource_arn: str) -> Iterator[tuple[str, str]]:
    """The KMS actions, each with its key's ARN, that a caller of `action` needs as well."""
    actions, key_of = _IMPLIED.get(action, ((), None))
    key_arn = key_of(resource_arn) if key_of is not None else None
    if key_arn is not None:
        for kms_action in actions:
            yield kms_action, key_arn


UNUSABLE = {
    "Disabled": ("KMS.DisabledException", "{key} is disabled."),
    "PendingDeletion": ("KMS.KMSInvalidStateException", "{key} is pending deletion."),
    None: ("KMS.NotFoundException", "Key '{key}' does not exist"),
}
_SPELLED = {
    ("sqs", "KMS.DisabledException"): "KmsDisabled",
    ("sqs", "KMS.KMSInvalidStateException"): "KmsInvalidState",
    ("sqs", "KMS.NotFoundException"): "KmsNotFound",
    ("sns", "KMS.DisabledException"): "KMSDisabled",
    ("sns", "KMS.KMSInvalidStateException"): "KMSInvalidState",
    ("sns", "KMS.NotFoundException"): "KMSNotFound",
}
"""SQS and SNS have errors of their own for it; S3 gives KMS's."""


def problem_with_key(key_arn: str, service: str) -> tuple[str, str] | None:
    """Code and message of the error where a key cannot be used by anybody, as the service gives it."""
    record = kms._resolve_key(key_arn)
    state = record["KeyState"] if record else None
    if state not in UNUSABLE:
        return None
    code, message = UNUSABLE[state]
    return _SPELLED.get((service, code), code), message.format(key=key_arn)


def _customer_key(reference: str | None) -> str | None:
    """ARN of the key; None for none and for the keys that AWS manages, which need no permission."""
    if not reference or "alias/aws/" in reference:
        return None
    record = kms._resolve_key(reference)
    # A key that is gone fails the check that names it, as on AWS.
    return str(record["Arn"]) if record else reference
