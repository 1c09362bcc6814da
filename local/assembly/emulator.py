"""ministack with everything this project adds to it.

ministack is used as published. What it lacks, or does for nobody's permissions, is put in its place from
outside: a module for each concern, with an `install` function that goes through `patching.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ministack import app

from local.cloud.cloudformation import properties
from local.cloud.cloudwatch import log_groups
from local.cloud.cloudwatch import service as cloudwatch
from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.cloudwatch.service import Clock, QueueMetrics
from local.cloud.events import rules as event_rules
from local.cloud.gateway import Gateway
from local.cloud.iam import authentication, authorization, service_calls
from local.cloud.iam.decisions import DecisionLog
from local.cloud.iam.principals import Principals
from local.cloud.iam.service_calls import ServiceCalls
from local.cloud.lambda_ import functions, queue_mappings
from local.cloud.process.background import HOST
from local.cloud.process.children import Children
from local.cloud.process.root_key import RootKey
from local.cloud.s3 import buckets, missing_objects, object_bodies, object_events, object_ranges, strange_keys
from local.cloud.seam import Cloud
from local.cloud.sns import deliveries, topics
from local.cloud.stepfunctions import log_delivery, state_machines
from local.cloud.strictness import Strictness
from local.cloud.throttling import Throttling


class Emulator:
    """ministack and its additions, in this process. There can be one."""

    def __init__(
        self,
        *,
        folder: Path,
        port: int,
        account: str,
        region: str,
        ca_bundle: Path,
        image_root: Path,
        images: Mapping[str, Path],
        children: Children,
        root: RootKey,
        strictness: Strictness | None,
    ) -> None:
        endpoint_url = f"https://{HOST}:{port}"
        decisions = DecisionLog(folder)
        calls = ServiceCalls(decisions, account, region)
        principals = Principals(endpoint_url, region, ca_bundle, calls, root, strictness)
        measurements = Measurements(account, region)
        properties.install()
        authorization.install(decisions)
        authentication.install(root, account)
        service_calls.install(calls)
        functions.install(children, calls, measurements)
        queue_mappings.install(calls)
        state_machines.install(principals, measurements)
        log_delivery.install(calls)
        event_rules.install(calls, measurements)
        topics.install()
        deliveries.install(measurements)
        object_events.install(strictness)
        cloudwatch.install(calls)
        log_groups.install(calls)
        buckets.install()
        missing_objects.install()
        strange_keys.install()
        object_ranges.install()
        object_bodies.install(folder / "objects")
        self.clock = Clock(account, region, [QueueMetrics(measurements).measure, children.forget_ended])
        self.cloud = Cloud(
            folder=folder,
            port=port,
            endpoint_url=endpoint_url,
            account=account,
            region=region,
            ca_bundle=ca_bundle,
            image_root=image_root,
            images=images,
            children=children,
            strictness=strictness,
            credentials_for=principals.credentials_for,
            authorize=calls.authorize,
            permits=calls.permits,
            client=principals.client,
            put_metric=measurements.put,
            put_event=measurements.event,
            log=measurements.log,
        )
        # Not before: it takes functions of ministack's as they are when it is imported.
        from local import autoscaling
        from local.assembly import sagemaker

        sagemaker.install(self.cloud)
        autoscaling.install(self.cloud)

    @property
    def application(self) -> Any:
        """The ASGI application of the gateway."""
        strictness = self.cloud.strictness
        return Gateway(app.app, self.cloud.port, Throttling(strictness) if strictness else None)
