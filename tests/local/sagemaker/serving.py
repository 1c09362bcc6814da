"""Models, configurations and endpoints of the fake image, for the tests of what serves."""

from __future__ import annotations

import contextlib
import io
import json
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import BUCKET, IMAGE, Workbench, wait_for


def artifact(workbench: Workbench, name: str) -> str:
    """URI of a model archive that says its name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        content = json.dumps({"model": name}).encode()
        member = tarfile.TarInfo("model.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    workbench.s3.put_object(Bucket=BUCKET, Key=f"artifacts/{name}.tar.gz", Body=buffer.getvalue())
    return f"s3://{BUCKET}/artifacts/{name}.tar.gz"


def model(workbench: Workbench, release: str, **members: Any) -> str:
    """A model of a new name."""
    name = f"{release}-{uuid4().hex[:8]}"
    container = {
        "Image": IMAGE,
        "ModelDataUrl": artifact(workbench, release),
        "Environment": {"RELEASE": release},
    }
    arguments = {"PrimaryContainer": container, "ExecutionRoleArn": workbench.job_role, **members}
    workbench.sagemaker.create_model(ModelName=name, **arguments)
    return name


def variant(model: str, **members: Any) -> dict[str, Any]:
    return {
        "VariantName": "live",
        "ModelName": model,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **members,
    }


def config(workbench: Workbench, release: str, *, role: str | None = None, **members: Any) -> str:
    """A model and an endpoint configuration of it, both of a new name."""
    name = model(workbench, release, ExecutionRoleArn=role or workbench.job_role)
    arguments = {"ProductionVariants": [variant(name)], **members}
    workbench.sagemaker.create_endpoint_config(EndpointConfigName=name, **arguments)
    return name


@contextlib.contextmanager
def running(workbench: Workbench, config_name: str) -> Iterator[str]:
    """A new endpoint of a configuration, deleted afterwards."""
    name = f"endpoint-{uuid4().hex[:8]}"
    workbench.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config_name)
    assert workbench.endpoint(name)["EndpointStatus"] == "InService"
    yield name
    workbench.endpoint(name)
    workbench.sagemaker.delete_endpoint(EndpointName=name)


def ask(workbench: Workbench, endpoint: str, body: str = "hello", **headers: str) -> dict[str, Any]:
    """What the fake server says, with the answer's headers."""
    answer = workbench.runtime.invoke_endpoint(EndpointName=endpoint, Body=body.encode(), **headers)
    found: dict[str, Any] = json.load(answer["Body"])
    return {
        **found,
        "attributes": answer.get("CustomAttributes"),
        "variant": answer["InvokedProductionVariant"],
    }


def two_instances(workbench: Workbench, release: str, **members: Any) -> str:
    """A configuration of a new name with two instances of one variant."""
    name = model(workbench, release)
    variants = [variant(name, InitialInstanceCount=2)]
    workbench.sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, **members
    )
    return name


@dataclass
class Traffic:
    """What clients get who ask without pause: when each asked and which release answered, and the errors."""

    answers: list[tuple[float, str]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def next(self, count: int = 40) -> Counter[str]:
        """How often each release answers the next requests."""
        now, known = time.monotonic(), len(self.answers)

        def answered() -> list[str] | None:
            found = [release for began, release in self.answers[known:] if began > now]
            return found if len(found) >= count else None

        return Counter(wait_for(answered, "answers")[:count])


@contextlib.contextmanager
def asking(workbench: Workbench, endpoint: str) -> Iterator[Traffic]:
    """Clients that ask an endpoint without pause until the block ends, two of them for slow answers."""
    stop, traffic = threading.Event(), Traffic()

    def client(body: str) -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                traffic.answers.append((began, ask(workbench, endpoint, body)["release"]))
            except ClientError as error:
                traffic.errors.append(error)

    with ThreadPoolExecutor() as pool:
        for body in ("hello", "slow", "slow"):
            pool.submit(client, body)
        try:
            yield traffic
        finally:
            stop.set()
