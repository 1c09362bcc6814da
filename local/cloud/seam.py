"""What a service of the local cloud may use of it: the one thing that `local.sagemaker` codes against."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from local.cloud.strictness import Strictness

Credentials = Mapping[str, str]
"""AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of one principal."""


class ChildProcesses(Protocol):
    """Processes that die with the cloud, however it ends."""

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start a process in its own group. `env` is its whole environment.

        `stderr` joins `stdout` unless told otherwise. Raises OSError when it cannot start.
        """

    def stop(self, process: subprocess.Popen[bytes], grace: float = 2.0) -> int:
        """End a process and everything it started: SIGTERM, then SIGKILL after `grace` seconds.

        Returns its exit code. A process that has ended already is only reaped.
        """

    def stop_all(self) -> None:
        """End every process that still runs."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running local cloud, as its services see it."""

    folder: Path
    """Everything this cloud writes lies in here."""
    port: int
    endpoint_url: str
    account: str
    region: str
    ca_bundle: Path
    """PEM file with the system's roots and the gateway's certificate, for whoever calls the gateway."""
    image_root: Path
    """The source tree that image URIs stand for, but those of `images`."""
    images: Mapping[str, Path]
    """Source trees by image URI."""
    children: ChildProcesses
    strictness: Strictness | None
    """None for a cloud that does everything at once and has no quotas."""

    credentials_for: Callable[[str, str], dict[str, str]]
    """`(role_arn, service)`: temporary credentials of the role, as the service principal
    ("sagemaker.amazonaws.com") assumes it: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN. Raises AccessDenied when the role's trust policy does not allow the service,
    or there is no such role."""

    authorize: Callable[[str, str, str, str, Mapping[str, str]], None]
    """`(role_arn, service, action, resource, context)`: raises AccessDeniedError unless the service
    principal may assume the role and the role may do the action on the resource. `context` holds the
    request's condition keys, in lower case."""

    permits: Callable[[str, str, str, str, Mapping[str, str]], bool]
    """As `authorize`, where it is no refusal that the role may not: somebody else may instead."""

    client: Callable[[str, Credentials | None], Any]
    """`(service, credentials)`: a boto3 client that calls the gateway over TLS, IAM enforced.
    None means the account's root. Clients are cached; they may be shared by threads.
    Never call one on the gateway's event loop: it would wait for itself."""

    put_metric: Callable[[str, str, float, str, Mapping[str, str]], None]
    """`(namespace, name, value, unit, dimensions)`: one data point now. Any thread."""

    put_event: Callable[[str, str, Mapping[str, Any], Sequence[str]], None]
    """`(source, detail_type, detail, resources)`: an event of an AWS service on the default bus.
    Unlike PutEvents it may use a source beginning with "aws.". Any thread."""

    log: Callable[[str, str, Iterable[str]], None]
    """`(group, stream, lines)`: appends to CloudWatch Logs, making group and stream. Any thread."""


class AccessDeniedError(Exception):
    """A principal may not do this. The message is AWS's own, with principal, action and resource."""
