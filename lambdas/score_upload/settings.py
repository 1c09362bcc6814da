"""The environment variables of score_upload."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.environ import FromEnviron


@dataclass(frozen=True, kw_only=True)
class Settings(FromEnviron):
    """`retry_seconds` is the first delay of a failed message; each further one doubles it.

    An upload of more than `max_upload_bytes`, stored or decompressed, goes to `batch_state_machine` (an ARN).
    The `endpoint` takes requests of up to `max_request_bytes`, and answers as many.
    """

    environment: str
    model: str
    results_bucket: str
    artifacts_bucket: str
    batch_state_machine: str
    endpoint: str
    queue_url: str
    max_upload_bytes: int
    max_request_bytes: int
    retry_seconds: int
