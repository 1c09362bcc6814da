"""The life of a transform job: servers started, parts spread over them, answers put beside each other."""

from __future__ import annotations

import logging
import shutil
import tarfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from contract.artifact import ARCHIVE
from local.cloud.seam import AccessDeniedError
from local.sagemaker import events, storage
from local.sagemaker.endpoints.models import Container
from local.sagemaker.errors import reason
from local.sagemaker.execution_role import ExecutionRole
from local.sagemaker.service import Backend
from local.sagemaker.state import ENDED, TRANSFORM_JOB, now
from local.sagemaker.transforms.instance import Instance, InstanceError, PartError
from local.sagemaker.transforms.plan import TransformPlan, parts

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_REASON_CHARACTERS = 1024


class TransformFailedError(Exception):
    """The job ends as Failed; the message is its FailureReason."""


@dataclass(eq=False)
class TransformRun:
    """One transform job while it runs."""

    backend: Backend
    plan: TransformPlan
    source: Container
    role_arn: str
    isolated: bool
    credentials: dict[str, str]
    """Those of the model's execution role, which also reads the parts and writes the answers."""
    on_end: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        self._cloud = self.backend.cloud
        self._role = ExecutionRole(self._cloud, self.role_arn)
        self._s3 = self._cloud.client("s3", self.credentials)
        self._folder = self._cloud.folder / "transforms" / self.plan.name
        self._stopping = threading.Event()
        self._failures: list[str] = []

    def start(self) -> None:
        """Run on a thread of its own."""
        threading.Thread(target=self._run, name=self.plan.name, daemon=True).start()

    def stop(self) -> None:
        """Ask the job to stop: parts in work are finished, others are not begun."""
        self._stopping.set()
        self._changed("Stopping")

    def _run(self) -> None:
        try:
            self._execute()
        except (TransformFailedError, InstanceError) as error:
            self._changed("Failed", FailureReason=str(error)[:_REASON_CHARACTERS])
        except Exception as error:
            logger.exception("transform %s", self.plan.name)
            text = f"InternalServerError: {type(error).__name__}: {error}"
            self._changed("Failed", FailureReason=text[:_REASON_CHARACTERS])
        else:
            self._changed("Stopped" if self._stopping.is_set() else "Completed")
        finally:
            if self.on_end is not None:
                self.on_end()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _execute(self) -> None:
        self._pull()
        found = self._find_parts()
        self._download_model()
        instances: list[Instance] = []
        try:
            for number in range(self.plan.instances):
                instances.append(self._instance(number))
            for instance in instances:
                instance.wait_until_healthy()
            self.backend.state.change(TRANSFORM_JOB, self.plan.name, TransformStartTime=now())
            self._spread(instances, found)
        finally:
            for instance in instances:
                instance.stop()
        if self._failures:
            raise TransformFailedError(
                f"{self._failures[0]} ({len(self._failures)} of {len(found)} objects have no output. "
                f"See the job's log.)"
            )

    def _spread(self, instances: list[Instance], found: list[tuple[str, str]]) -> None:
        """Each instance takes every n-th object, as many at a time as the job says."""
        step = len(instances)
        with ThreadPoolExecutor(step * self.plan.concurrency) as pool:
            work = [
                pool.submit(self._work, instance, found[first :: step * self.plan.concurrency])
                for number, instance in enumerate(instances)
                for first in range(number, step * self.plan.concurrency, step)
            ]
        for done in work:
            done.result()

    def _work(self, instance: Instance, found: list[tuple[str, str]]) -> None:
        for uri, name in found:
            if self._stopping.is_set():
                return
            try:
                self._transform(instance, uri, name)
            except PartError as error:
                self._failed(name, str(error))
            except (ClientError, BotoCoreError) as error:
                self._failed(name, f"ClientError: {reason(error)}")

    def _transform(self, instance: Instance, uri: str, name: str) -> None:
        bucket, key = storage.parse(uri)
        answer = instance.ask(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        bucket, key = storage.parse(f"{self.plan.target}/{name}.out")
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.plan.kms_key} if self.plan.kms_key else {}
        )
        self._s3.put_object(Bucket=bucket, Key=key, Body=answer, **encryption)

    def _failed(self, name: str, why: str) -> None:
        self._failures.append(f"{why} ({name})")
        self._log(f"{self.plan.name}/data-log", f"{name}: {why}")

    def _find_parts(self) -> list[tuple[str, str]]:
        try:
            storage.locate(self._s3, [self.plan.source])
            found = parts(self._s3, self.plan)
        except (ClientError, BotoCoreError) as error:
            raise TransformFailedError(f"ClientError: {reason(error)} ({self.plan.source})") from error
        if not found:
            raise TransformFailedError(f"ClientError: No S3 objects found under {self.plan.source}")
        return found

    def _pull(self) -> None:
        try:
            self._role.check_pull(self.source.image)
        except AccessDeniedError as error:
            raise TransformFailedError(
                "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
                f"permissions are incorrect. ({error})"
            ) from error
        self._role.check_metrics(LOG_GROUP)

    def _download_model(self) -> None:
        url, archive = self.source.model_data_url, self._folder / ARCHIVE
        archive.parent.mkdir(parents=True)
        try:
            storage.download_file(self._s3, url, archive)
        except (ClientError, BotoCoreError) as error:
            raise TransformFailedError(f"ClientError: {reason(error)} ({url})") from error

    def _instance(self, number: int) -> Instance:
        base: Path = self._folder / str(number) / "ml"
        try:
            storage.unpack(self._folder / ARCHIVE, base / "model")
        except (OSError, EOFError, ValueError, tarfile.TarError) as error:
            url = self.source.model_data_url
            raise TransformFailedError(
                f"ClientError: Failed to extract model data archive {url}: {error}"
            ) from error
        instance = Instance(self._cloud, self.plan, base, self._log)
        variables = {**self.source.environment, **self.plan.environment}
        instance.start(self.source.image, variables, None if self.isolated else self.credentials)
        return instance

    def _log(self, stream: str, line: str) -> None:
        self._role.log(LOG_GROUP, stream, [line])

    def _changed(self, status: str, **members: Any) -> None:
        ended: Mapping[str, Any] = {"TransformEndTime": now()} if status in ENDED else {}
        state = self.backend.state
        with state.lock:
            if state.get(TRANSFORM_JOB, self.plan.name)["TransformJobStatus"] in ENDED:
                return  # who stops a job as it ends comes too late
            record = state.change(
                TRANSFORM_JOB, self.plan.name, TransformJobStatus=status, **ended, **members
            )
        events.job_changed(self._cloud, TRANSFORM_JOB, record)
