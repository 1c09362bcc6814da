"""The metrics this project emits itself, and where they are found in CloudWatch."""

from __future__ import annotations

from enum import StrEnum

NAMESPACE = "Millrace"

UNSCORABLE_ALARM = "unscorable-uploads"
"""The alarm of `UPLOADS_UNSCORABLE`, as it is called behind the model's own name."""


SHARE_ROWS = 5
"""Of fewer rows, most may have an unseen category by chance."""


class Dimension(StrEnum):
    """Dimensions: alarms and dashboards name those of their metric, all of them."""

    ENVIRONMENT = "Environment"
    MODEL = "Model"
    CAUSE = "Cause"
    """Of `RunsFailed` besides: a `contract.failures.Cause`."""
    FEATURE = "Feature"
    """Of `UnseenCategories` besides: the column, in ASCII."""
    VERSION = "Version"
    """Of what the monitor says besides: the model version's number."""


class Metric(StrEnum):
    """Emitted in embedded metric format: by `score_upload` once an upload, unless it says otherwise.

    Every metric has the dimensions `Environment` and `Model`.
    """

    UPLOADS_SCORED = "UploadsScored"
    UPLOADS_UNSCORABLE = "UploadsUnscorable"
    ROWS_SCORED = "RowsScored"
    ROWS_REJECTED = "RowsRejected"
    REJECTED_ROW_SHARE = "RejectedRowShare"
    """Percent of an upload's rows that came back with a reason instead of a prediction."""
    UNSEEN_CATEGORIES = "UnseenCategories"
    """Values in an upload's scored rows that the model does not know, also by feature; none is no metric."""
    UNSEEN_CATEGORY_SHARE = "UnseenCategoryShare"
    """Percent of an upload's scored rows that have a category the model does not know, in the column with
    the most of them; of an upload of fewer than `SHARE_ROWS` scored rows, 0."""
    SECONDS_TO_RESULT = "SecondsToResult"
    """From the upload's last-modified time to the commit of its result."""
    UPLOADS_WITHOUT_OUTCOME = "UploadsWithoutOutcome"
    """Emitted by each run of `reconcile_uploads`: how many have waited for longer than any should."""
    QUOTA_REACHED = "QuotaReached"
    """Emitted by the batch path: 1 whenever SageMaker refuses it instances for the account's quota."""
    RUNS_FAILED = "RunsFailed"
    """Emitted by `report_failure`: a training run that ended without a model, also by its cause."""
    RUNS_PAGED = "RunsPaged"
    """Emitted by `report_failure`: 1 if the run that failed is worth a page, else 0."""
    DRIFTED = "Drifted"
    """Emitted by each run of the monitor, also by version: 1 while a version's data is drifted, else 0."""
    DRIFT_EVIDENCE = "DriftEvidence"
    """Emitted beside it: what speaks for a change; an alarm's limit is in the report."""
    ROWS_MONITORED = "RowsMonitored"
    """Emitted by each run of the monitor: the predictions that were new to it."""
