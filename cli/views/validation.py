"""The findings of `validate` in a dataset, as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from botocore.exceptions import ClientError
from rich.markup import escape

from cli.aws import reports
from cli.aws.clients import Aws
from cli.aws.job_outputs import output_uri, read_document
from cli.aws.runs import Run
from cli.kit.errors import error_code
from cli.kit.paths import display
from contract.documents.validation import Validation
from contract.names.jobs import REPORT_PAGE, VALIDATION_FILE, Folder, Job


def findings(aws: Aws, run: Run, folder: Path = reports.FOLDER) -> Iterator[str]:
    """A line for each warning of a run's validation, and where its report is brought to; as markup.

    What stopped the run is the run's failure, and is not told again.
    """
    job = next((step.job for step in run.steps if step.name == Job.VALIDATE), "")
    if not job:
        return
    place = output_uri(aws, job, Folder.REPORT)
    try:
        report = cast("Validation", read_document(aws, f"{place}/{VALIDATION_FILE}"))
    except ClientError as error:
        if error_code(error) != "NoSuchKey":
            raise
        return  # It failed before it could look at the data.
    if aside := report.get("unlabelled_rows"):
        yield f"{aside:,} rows without a target were set aside."
    for problem in report["problems"]:
        if problem["level"] == "warn":
            yield f"[yellow]! {problem['check']}[/yellow]: {escape(problem['sentence'])}"
    if report["problems"]:
        page = reports.fetch(aws, f"{place}/{REPORT_PAGE}", folder)
        yield f"The data's report: {escape(display(page))}"
