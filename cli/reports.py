"""The pages that a run wrote, brought here to be looked at: a browser does not open `s3://`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.aws import Aws
from cli.errors import CliError, error_code
from cli.paths import STATE

FOLDER = STATE / "reports"


def fetch(aws: Aws, uri: str, folder: Path = FOLDER) -> Path:
    """Bring a page of a run here, under the names that it has in S3.

    Raises:
        CliError: it is not there any more.
    """
    place = urlsplit(uri)
    key = place.path.lstrip("/")
    try:
        body = aws.s3.get_object(Bucket=place.netloc, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) not in ("NoSuchKey", "NoSuchBucket"):
            raise
        raise CliError(f"there is no {uri}: was the run's folder deleted?") from error
    path = folder / key.removeprefix("runs/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path
