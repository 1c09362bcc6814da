"""The operations on transform jobs."""

from __future__ import annotations

from typing import Any

from local.cloud.seam import AccessDeniedError
from local.sagemaker import events
from local.sagemaker.endpoints.models import container_of
from local.sagemaker.errors import invalid
from local.sagemaker.iam import require_grant
from local.sagemaker.quotas import of_transform
from local.sagemaker.service import Backend, Call, Operation
from local.sagemaker.state import MODEL, TRANSFORM_JOB
from local.sagemaker.transforms.plan import plan
from local.sagemaker.transforms.run import TransformRun


class Transforms:
    """Create and stop transform jobs. They run under the role of their model."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._runs: dict[str, TransformRun] = {}

    def operations(self) -> dict[str, Operation]:
        """The table of this part's operations."""
        return {"CreateTransformJob": self._create, "StopTransformJob": self._stop}

    def _create(self, call: Call) -> dict[str, Any]:
        cloud, state = self._backend.cloud, self._backend.state
        wanted = plan(call.arguments)
        model = state.get(MODEL, call["ModelName"])
        source = container_of(state, model)
        try:
            credentials = cloud.credentials_for(model["ExecutionRoleArn"], "sagemaker.amazonaws.com")
        except AccessDeniedError as error:
            raise invalid(f"Could not assume role {model['ExecutionRoleArn']}: {error}") from error
        key = call["TransformResources"].get("VolumeKmsKeyId")
        require_grant(call.access_key, cloud, key, model["ExecutionRoleArn"])
        uses = of_transform(call.arguments)
        with self._backend.quotas.taken(uses):
            members = {**call.arguments, "TransformJobStatus": "InProgress"}
            record = state.add(TRANSFORM_JOB, wanted.name, members)
        state.tags[record["TransformJobArn"]] = {tag["Key"]: tag["Value"] for tag in call.get("Tags", [])}
        events.job_changed(cloud, TRANSFORM_JOB, record)
        run = self._runs[wanted.name] = TransformRun(
            self._backend,
            wanted,
            source,
            model["ExecutionRoleArn"],
            bool(model.get("EnableNetworkIsolation")),
            credentials,
            on_end=lambda: self._backend.quotas.give_back(uses),
        )
        run.start()
        return {"TransformJobArn": record["TransformJobArn"]}

    def _stop(self, call: Call) -> dict[str, Any]:
        record = self._backend.state.get(TRANSFORM_JOB, call["TransformJobName"])
        status = record["TransformJobStatus"]
        if status != "InProgress":
            raise invalid(f"The request was rejected because the transform job is in status {status}.")
        self._runs[record["TransformJobName"]].stop()
        return {}
