"""What a model needs of an account's quotas of instances, and what the account has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.kit.errors import CliError, error_code

if TYPE_CHECKING:
    from infra.settings import EnvironmentSettings, ModelSettings

SERVICE = "sagemaker"


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of SageMaker's in an account. `code` is what an increase is asked for by."""

    name: str
    code: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Need:
    """How many instances of a quota a model needs at a time, and how many there are."""

    name: str
    needed: int
    quota: Quota | None
    """None where the account's list does not have it."""

    @property
    def is_met(self) -> bool:
        return self.quota is not None and self.quota.value >= self.needed

    def command(self, region: str) -> str:
        """The command that asks for more."""
        code = self.quota.code if self.quota else "<code>"
        return (
            f"aws service-quotas request-service-quota-increase --service-code {SERVICE} --region {region} "
            f"--quota-code {code} --desired-value {self.needed}"
        )


def needed(environment: EnvironmentSettings, model: ModelSettings) -> dict[str, int]:
    """The instances that a model may need at one time, by the names of SageMaker's quotas.

    An update of the endpoint runs the new instances beside the old ones: it needs twice as many.
    """
    training, batch = environment.training, environment.batch
    kind = "training job" if training.spot_wait_minutes is None else "spot training job"
    search = model.training.search
    trials = search.max_parallel_jobs if search.parameters else 1
    uses = Counter[str]()
    uses[f"{training.instance_type} for processing job usage"] += 1
    uses[f"{training.instance_type} for {kind} usage"] += trials
    uses[f"{batch.instance_type} for processing job usage"] += 1
    uses[f"{batch.instance_type} for transform job usage"] += batch.instances
    uses[f"{environment.monitoring.instance_type} for processing job usage"] += 1
    if model.serving.has_instances:
        serving = environment.serving
        uses[f"{serving.instance_type} for endpoint usage"] += 2 * serving.max_instances
    return dict(sorted(uses.items()))


def compared(aws: Aws, uses: Mapping[str, int]) -> list[Need]:
    """What is needed beside what the account has.

    Raises:
        CliError: the credentials may not read quotas.
    """
    try:
        quotas = {quota.name: quota for quota in _quotas(aws) if quota.name in uses}
    except ClientError as error:
        if "AccessDenied" not in error_code(error):
            raise
        raise CliError(
            "your role may not read the account's quotas: it lacks servicequotas:ListServiceQuotas and "
            "servicequotas:ListAWSDefaultServiceQuotas."
        ) from error
    return [Need(name=name, needed=count, quota=quotas.get(name)) for name, count in uses.items()]


def _quotas(aws: Aws) -> Iterator[Quota]:
    """The defaults first, then what is applied to the account."""
    client = aws.session.client("service-quotas", **aws.options)
    defaults = client.get_paginator("list_aws_default_service_quotas")
    for page in defaults.paginate(ServiceCode=SERVICE):
        for quota in page["Quotas"]:
            yield Quota(name=quota["QuotaName"], code=quota["QuotaCode"], value=quota["Value"])
    applied = client.get_paginator("list_service_quotas")
    for applied_page in applied.paginate(ServiceCode=SERVICE):
        for quota in applied_page["Quotas"]:
            yield Quota(name=quota["QuotaName"], code=quota["QuotaCode"], value=quota["Value"])
