"""The outputs of processing jobs in S3."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from cli.aws.clients import Aws


def output_uri(aws: Aws, job: str, output: str) -> str:
    """Return the S3 URI of one of a processing job's outputs."""
    described = aws.sagemaker.describe_processing_job(ProcessingJobName=job)
    outputs = {
        output["OutputName"]: output["S3Output"]["S3Uri"]
        for output in described["ProcessingOutputConfig"]["Outputs"]
    }
    return outputs[output].rstrip("/")


def read_document(aws: Aws, uri: str) -> dict[str, Any]:
    """A JSON document in S3.

    Raises:
        botocore ClientError: as S3 refuses.
    """
    place = urlsplit(uri)
    body = aws.s3.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document
