"""AWS on a laptop.

`start`, `stop` and `status` run a cloud in the background; `environment` gives the variables that make
the AWS CLI, boto3 and the CDK CLI talk to it. `python -m local` runs one in the foreground.
"""

from local.cloud.process.background import (
    DEFAULT_PORT,
    CloudInfo,
    default_folder,
    environment,
    start,
    status,
    stop,
)
from local.cloud.process.folder import CloudError

__all__ = [
    "DEFAULT_PORT",
    "CloudError",
    "CloudInfo",
    "default_folder",
    "environment",
    "start",
    "status",
    "stop",
]
