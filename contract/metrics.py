"""The metrics this project emits itself, and where they are found in CloudWatch."""

from __future__ import annotations

from enum import StrEnum

NAMESPACE = "Millrace"


class Dimension(StrEnum):
    """Dimensions of every metric: alarms and dashboards name both."""

    ENVIRONMENT = "Environment"
    MODEL = "Model"


class Metric(StrEnum):
    """Emitted by `score_upload` in embedded metric format, once an upload."""

    UPLOADS_SCORED = "UploadsScored"
    UPLOADS_UNSCORABLE = "UploadsUnscorable"
    ROWS_SCORED = "RowsScored"
    ROWS_REJECTED = "RowsRejected"
    REJECTED_ROW_SHARE = "RejectedRowShare"
    """Percent of an upload's rows that came back with a reason instead of a prediction."""
    SECONDS_TO_RESULT = "SecondsToResult"
    """From the upload's last-modified time to the commit of its result."""
