"""SSM's parameter store, as `Parameter` of `adapters.ports`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from adapters.clients import client, translated

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class SsmParameter:
    """A parameter of the type String."""

    name: str
    client: SSMClient = field(default_factory=partial(client, "ssm"), repr=False)

    def read(self) -> str:
        with translated("GetParameter"):
            return self.client.get_parameter(Name=self.name)["Parameter"]["Value"]
