"""The least that can stand in for `score_upload`: copies each upload to where its result would be."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3

s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Reads and writes every upload once; takes every message for one."""
    for record in event["Records"]:
        detail = json.loads(record["body"])["detail"]
        bucket, key, version = (
            detail["bucket"]["name"],
            detail["object"]["key"],
            detail["object"]["version-id"],
        )
        body = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"].read()
        result = f"scored/{key.removeprefix('score/')}/{version}.csv"
        s3.put_object(Bucket=os.environ["RESULTS_BUCKET"], Key=result, Body=body, IfNoneMatch="*")
    return {"batchItemFailures": []}
