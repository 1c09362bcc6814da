"""Every refusal of the cloud, one JSON line each, in `denied.jsonl` of the cloud's folder."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from pathlib import Path

FILE_NAME = "denied.jsonl"
logger = logging.getLogger(__name__)


class DenialLog:
    """Appends refusals to a file. Its lines hold time, principal, action, resource and AWS's message."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def record(self, principal: str, action: str, resource: str, message: str) -> None:
        """Write one refusal down, and say it in the cloud's log."""
        entry = {
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "principal": principal,
            "action": action,
            "resource": resource,
            "message": message,
        }
        logger.warning("AccessDenied: %s", message)
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
