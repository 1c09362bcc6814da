"""Data capture: requests and answers, written to S3 by the platform with the model's role.

The layout is `<destination>/<endpoint>/<variant>/yyyy/mm/dd/hh/<file>.jsonl`, a record a line, as SageMaker
documents it. The container, which may be isolated, has no part in it.
"""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from local.cloud.seam import AccessDeniedError, Cloud
from local.sagemaker import storage
from local.sagemaker.errors import reason

FLUSH_SECONDS = 1.0
"""How long a record waits for company. SageMaker takes minutes."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer: content types and bodies, and what the client said about them."""

    request_type: str | None
    request: bytes
    answer_type: str | None
    answer: bytes
    inference_id: str | None = None
    attributes: str | None = None


class Capture:
    """Keeps a share of the exchanges of one instance of a variant."""

    def __init__(
        self,
        cloud: Cloud,
        settings: Mapping[str, Any],
        *,
        place: str,
        role_arn: str,
        log: Callable[[str], None],
    ) -> None:
        """`settings` is the DataCaptureConfig; `place` is `<endpoint>/<variant>`."""
        self._cloud = cloud
        self._settings = settings
        self._place = place
        self._role_arn = role_arn
        self._log = log
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def keep(self, exchange: Exchange) -> None:
        """Take an exchange into the sample, or not. Never fails and never waits."""
        settings = self._settings
        if not settings.get("EnableCapture", True):
            return
        if random.random() * 100 >= settings["InitialSamplingPercentage"]:  # noqa: S311 - a sample
            return
        with self._lock:
            self._waiting.append(self._record(exchange))
            first = len(self._waiting) == 1
        if first:
            timer = threading.Timer(FLUSH_SECONDS, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Write what waits as one object. What cannot be written is lost, and the log says why."""
        with self._lock:
            records, self._waiting = self._waiting, []
        if not records:
            return
        now = datetime.now(UTC)
        name = f"{now:%Y/%m/%d/%H/%M-%S}-{now.microsecond // 1000:03d}-{uuid4()}.jsonl"
        bucket, prefix = storage.parse(self._settings["DestinationS3Uri"])
        key = f"{prefix.rstrip('/')}/{self._place}/{name}".lstrip("/")
        body = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)
        kms_key = self._settings.get("KmsKeyId")
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        try:
            credentials = self._cloud.credentials_for(self._role_arn, "sagemaker.amazonaws.com")
            s3 = self._cloud.client("s3", credentials)
            s3.put_object(Bucket=bucket, Key=key, Body=body.encode(), **encryption)
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            self._log(f"{len(records)} captured records could not be written to {bucket}: {reason(error)}")

    def _record(self, exchange: Exchange) -> dict[str, Any]:
        modes = {option["CaptureMode"] for option in self._settings["CaptureOptions"]}
        both = "InputAndOutput" in modes
        data = {}
        if both or "Input" in modes:
            data["endpointInput"] = self._side("INPUT", exchange.request_type, exchange.request)
        if both or "Output" in modes:
            data["endpointOutput"] = self._side("OUTPUT", exchange.answer_type, exchange.answer)
        metadata: dict[str, Any] = {"eventId": str(uuid4())}
        if exchange.attributes is not None:
            metadata["customAttributes"] = [exchange.attributes]
        if exchange.inference_id is not None:
            metadata["inferenceId"] = exchange.inference_id
        metadata["inferenceTime"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}

    def _side(self, mode: str, content_type: str | None, body: bytes) -> dict[str, Any]:
        encoding = self._encoding(content_type)
        try:
            data = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
        except UnicodeDecodeError:
            encoding, data = "BASE64", base64.b64encode(body).decode()
        side = {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}
        return {name: value for name, value in side.items() if value is not None}

    def _encoding(self, content_type: str | None) -> str:
        """CSV or JSON where the configuration names the type so; else what comes is not taken for text."""
        plain = (content_type or "").partition(";")[0].strip().lower()
        types = self._settings.get("CaptureContentTypeHeader", {})
        for encoding, member in (("CSV", "CsvContentTypes"), ("JSON", "JsonContentTypes")):
            if plain in types.get(member, ()):
                return encoding
        return "BASE64"
