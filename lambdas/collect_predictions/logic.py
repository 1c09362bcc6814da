"""New results become one document of the monitor's inbox."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from adapters.errors import AlreadyExists
from adapters.ports import Bucket
from contract.events import Upload
from contract.layout import SCORED_PREFIX
from contract.names.monitoring import NewResult, inbox_document, inbox_key

log = logging.getLogger(__name__)


def collect(records: Sequence[Mapping[str, Any]], artifacts: Bucket) -> dict[str, Any]:
    """Note the results that SQS records tell of; the answer names the messages to deliver again.

    Raises:
        AwsError: nothing was noted; all of them are delivered again.
    """
    failed, results = [], []
    for record in records:
        try:
            result = result_of(record["body"])
        except ValueError:
            log.exception("the message is no event of a new object")
            failed.append(record["messageId"])
            continue
        if result:
            results.append(result)
    if results:
        document = inbox_document(results)
        with suppress(AlreadyExists):
            artifacts.create(inbox_key(document), document.encode(), "application/json")
        log.info("noted", extra={"results": len(results)})
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def result_of(body: str) -> NewResult | None:
    """The result that a message tells of; None where it tells of another object.

    Raises:
        ValueError: it is no event of a new object.
    """
    event = json.loads(body)
    if not isinstance(event, dict):
        raise ValueError("the message is not a JSON object")
    named = Upload.of(event)
    if not named.key.startswith(SCORED_PREFIX) or named.key.endswith("/"):
        return None
    return NewResult(key=named.key, version_id=named.version_id, time=str(event.get("time", "")))
