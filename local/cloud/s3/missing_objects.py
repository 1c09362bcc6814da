"""An object that is not there: who may not list the bucket is told that they may not, not that there is none.

ministack tells everybody. The documentation says no more than that `s3:ListBucket` decides; whether a
condition on `s3:prefix` holds for a request that has no prefix, it does not say: here the key is the prefix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import s3

from local.cloud.patching import replace

Response = tuple[int, dict[str, str], Any]


def install() -> None:
    """Look at each object that is not found."""
    replace(s3, "_get_object", "bucket_name key headers query_params", _telling_who_may_list)
    replace(s3, "_head_object", "bucket_name key headers query_params", _telling_who_may_list)


def _telling_who_may_list(original: Callable[..., Response]) -> Callable[..., Response]:
    def look(
        bucket_name: str,
        key: str,
        headers: dict[str, str] | None = None,
        query_params: dict[str, Any] | None = None,
    ) -> Response:
        response = original(bucket_name, key, headers, query_params)
        if response[0] != 404 or s3._ensure_bucket(bucket_name) is None:
            return response
        return _refusal(bucket_name, key, headers or {}, query_params or {}) or response

    return look


def _refusal(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any]) -> Response | None:
    arn = f"arn:aws:s3:::{bucket}"
    access_key, region = extract_access_key_id(headers, query), extract_region(headers, query)
    denied = iam_evaluator.enforce(access_key, "s3:ListBucket", "s3", region, arn, {"s3:prefix": key})
    if not isinstance(denied, iam_evaluator.EvalResult):
        return None
    refused: Response = iam_actions.access_denied_response(
        "s3",
        "s3:ListBucket",
        denied.principal_arn,
        "",
        headers=headers,
        resource_arn=arn,
        explicit_deny=denied.decision == "Deny",
    )
    return refused
