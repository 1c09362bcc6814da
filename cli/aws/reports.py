"""The pages that a run wrote, brought here to be looked at: a browser does not open `s3://`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.aws.job_outputs import output_uri
from cli.aws.runs import Run
from cli.kit.errors import CliError, error_code
from cli.kit.paths import STATE
from contract.layout import RUNS_PREFIX
from contract.names.jobs import REPORT_PAGE, Folder, Job

FOLDER = STATE / "reports"
_EXPLAINING = (
    (Job.VALIDATE, "Failed", Folder.REPORT),
    (Job.EVALUATE, "Succeeded", Folder.EVALUATION),
)
"""Of a run that made no model, the step, how it went, and its output, whose page says why."""


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
    path = folder / key.removeprefix(RUNS_PREFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def of_failure(aws: Aws, run: Run, folder: Path = FOLDER) -> Path | None:
    """Bring the page that says most of why a run made no model here: the data's, or the model's.

    None where a job failed before it wrote any.
    """
    for name, status, output in _EXPLAINING:
        for step in run.steps:
            if (step.name, step.status) == (name, status):
                try:
                    return fetch(aws, f"{output_uri(aws, step.job, output)}/{REPORT_PAGE}", folder)
                except CliError:
                    return None  # It is not there: the job did not come so far.
    return None
