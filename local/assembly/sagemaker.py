"""The SageMaker service, registered with ministack: each part of it, and the routes to them."""

from __future__ import annotations

from typing import Any

from ministack import app
from ministack.core import router

from local.cloud.seam import Cloud
from local.sagemaker import cfn, iam
from local.sagemaker.catalog.reading import Reading
from local.sagemaker.catalog.registry import Registry
from local.sagemaker.catalog.tags import Tags
from local.sagemaker.endpoints.configurations import Configurations
from local.sagemaker.endpoints.invoke import Runtime
from local.sagemaker.endpoints.models import Models
from local.sagemaker.endpoints.operations import Endpoints
from local.sagemaker.jobs.operations import Jobs
from local.sagemaker.pipelines.operations import Pipelines
from local.sagemaker.quotas import Quotas
from local.sagemaker.service import Backend, Response, Service
from local.sagemaker.state import State
from local.sagemaker.transforms.operations import Transforms
from local.sagemaker.tuning.operations import Tuning

_PARTS = (Registry, Models, Configurations, Transforms, Reading, Tags)
_ROUTE = {"target_prefixes": ["SageMaker."], "credential_scope": "sagemaker", "host_patterns": []}


def install(cloud: Cloud) -> None:
    """Register `sagemaker`, `sagemaker-runtime` and the CloudFormation types with ministack."""
    backend = Backend(cloud, State(cloud.region, cloud.account), Quotas(cloud.strictness))
    jobs, endpoints = Jobs(backend), Endpoints(backend)
    parts = (
        jobs,
        endpoints,
        Pipelines(backend, jobs),
        Tuning(backend, jobs),
        *(part(backend) for part in _PARTS),
    )
    service = Service(backend, {name: run for part in parts for name, run in part.operations().items()})
    runtime = Runtime(cloud, endpoints.hosting)

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Response:
        # Both services sign as `sagemaker`; only the runtime has paths.
        if path.startswith("/endpoints/"):
            return await runtime.handle(method, path, headers, body)
        return await service.handle(headers, body, query)

    app.SERVICE_REGISTRY["sagemaker"] = {"module": "sagemaker"}
    app.SERVICE_HANDLERS["sagemaker"] = handle
    router.SERVICE_PATTERNS["sagemaker"] = _ROUTE
    iam.register()
    cfn.register(service)
