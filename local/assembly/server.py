"""One cloud in this process, from an empty folder until it is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.cloud.process import background, certificate
from local.cloud.process import folder as folders
from local.cloud.process.background import HOST, CloudInfo
from local.cloud.process.children import Children
from local.cloud.process.root_key import RootKey, root_key
from local.cloud.strictness import Strictness

ACCOUNT = "000000000000"
REGION = "us-east-1"

SERVICES = (
    *("s3", "sqs", "sns", "events", "lambda", "logs", "monitoring", "states", "ssm", "kms"),
    *("iam", "sts", "cloudformation", "ecr", "cloudtrail", "tagging"),
)
"""What the emulator loads, by its own names: what the stacks use and what the CDK CLI asks for."""

_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "SHELL", "LOG_LEVEL")
"""All that functions see of the caller's environment: nothing in it may change how they behave."""


def run(
    folder: Path,
    port: int,
    image_root: Path,
    images: Mapping[str, Path],
    *,
    strictness: Strictness | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises CloudError when the folder or the port is taken."""
    background.check_port(port)
    folders.claim(folder)
    folders.lock(folder)
    folders.empty(folder)
    certificates = certificate.issue(folder / "tls")
    key = root_key(folder)
    _set_environment(folder, port, certificates, key)
    children = Children()
    try:
        # Only now: the emulator reads its environment when it is imported.
        from local.assembly.emulator import Emulator

        emulator = Emulator(
            folder=folder,
            port=port,
            account=ACCOUNT,
            region=REGION,
            ca_bundle=certificates.authority,
            image_root=image_root,
            images=images,
            children=children,
            root=key,
            strictness=strictness,
        )
        info = CloudInfo(
            endpoint_url=emulator.cloud.endpoint_url,
            pid=os.getpid(),
            port=port,
            ca_bundle=str(certificates.authority),
            region=REGION,
            account=ACCOUNT,
            access_key=key.access_key,
            secret_key=key.secret_key,
        )
        emulator.clock.start()
        # Not asyncio.run, which would wait for every thread and open connection. None is worth waiting for.
        asyncio.new_event_loop().run_until_complete(_serve(emulator.application, folder, info, certificates))
    finally:
        children.close()
        (folder / "cloud.json").unlink(missing_ok=True)


def _set_environment(folder: Path, port: int, certificates: certificate.Certificate, key: RootKey) -> None:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    temporary = folder / "tmp"
    temporary.mkdir()
    os.environ.clear()
    os.environ.update(kept)
    os.environ.update(
        AUTH="true",
        USE_SSL="1",
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        GATEWAY_PORT=str(port),
        MINISTACK_REGION=REGION,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_SSL_CERT=str(certificates.chain),
        MINISTACK_SSL_KEY=str(certificates.key),
        SERVICES=",".join(SERVICES),
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        CLOUDTRAIL_RECORDING="1",
        LAMBDA_EXECUTOR="local",
        DOCKER_HOST=f"unix://{folder}/no-docker.sock",
        S3_DATA_DIR=str(folder / "s3"),
        STATE_DIR=str(folder / "state"),
        TMPDIR=str(temporary),
        AWS_ACCESS_KEY_ID=key.access_key,
        AWS_SECRET_ACCESS_KEY=key.secret_key,
        AWS_ENDPOINT_URL=f"https://{HOST}:{port}",
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_CA_BUNDLE=str(certificates.authority),
        SSL_CERT_FILE=str(certificates.authority),
        REQUESTS_CA_BUNDLE=str(certificates.authority),
        NODE_EXTRA_CA_CERTS=str(certificates.authority),
        AWS_EC2_METADATA_DISABLED="true",
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        NO_PROXY=f"{HOST},localhost",
    )
    tempfile.tempdir = str(temporary)


async def _serve(
    application: Any, folder: Path, info: CloudInfo, certificates: certificate.Certificate
) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"{HOST}:{info.port}"]
    config.certfile, config.keyfile = str(certificates.chain), str(certificates.key)
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    serving = asyncio.create_task(serve(application, config, shutdown_trigger=asyncio.Event().wait))
    announcing = asyncio.create_task(_announce(folder, info))
    told_to_end = asyncio.Event()
    ended = asyncio.create_task(told_to_end.wait())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_end.set)
    await asyncio.wait({serving, ended}, return_when=asyncio.FIRST_COMPLETED)
    announcing.cancel()
    if serving.done():
        serving.result()  # it only ends by itself when it cannot serve


async def _announce(folder: Path, info: CloudInfo) -> None:
    """Publish `cloud.json` as soon as the port answers."""
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, info.port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        background.publish(folder, info)
        return
