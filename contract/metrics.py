"""The metrics this project emits itself, and where they are found in CloudWatch."""

from __future__ import annotations

from enum import StrEnum

NAMESPACE = "Millrace"


class Dimension(StrEnum):
    """Dimensions of every metric: alarms and dashboards name both."""

    ENVIRONMENT = "Environment"
    MODEL = "Model"


class Metric(StrEnum):
    """Emitted in embedded metric format: by `score_upload` once an upload, but for the last."""

    UPLOADS_SCORED = "UploadsScored"
    UPLOADS_UNSCORABLE = "UploadsUnscorable"
    ROWS_SCORED = "RowsScored"
    ROWS_REJECTED = "RowsRejected"
    REJECTED_ROW_SHARE = "RejectedRowShare"
    """Percent of an upload's rows that came back with a reason instead of a prediction."""
    SECONDS_TO_RESULT = "SecondsToResult"
    """From the upload's last-modified time to the commit of its result."""
    UPLOADS_WITHOUT_OUTCOME = "UploadsWithoutOutcome"
    """Emitted by each run of `reconcile_uploads`: how many have waited for longer than any should."""
