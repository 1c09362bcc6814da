"""AWS as a command uses it: the laptop's cloud or an account, through the same boto3 clients."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.exceptions import ClientError

import local
from cli.aws.clients import Aws
from cli.kit.errors import CliError, error_message
from cli.kit.options import LOCAL
from cli.kit.paths import cloud_folder

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricAlarmTypeDef

STORAGE, LOOP = "storage", "loop"
ALARMS_A_CALL = 100
NO_PROFILE: dict[str, Any] = {"profile": (None, [], None, None)}
"""The laptop needs none of the profiles that a shell is set to, whether they exist or not."""
ABSENT = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Even empty, these would win over the key of the local cloud, or fail: there is no profile ""."""


@dataclass(frozen=True)
class Deployment:
    """One model deployed in one environment, and what its stacks put out."""

    aws: Aws
    model: str
    outputs: Mapping[str, str]

    def __getitem__(self, output: str) -> str:
        """The value of one output.

        Raises:
            CliError: the deployed stacks are older than this command.
        """
        try:
            return self.outputs[output]
        except KeyError:
            close = difflib.get_close_matches(output, self.outputs, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise self.outdated(f"{output}{hint}") from None

    def outdated(self, output: str) -> CliError:
        """The error that the deployed stacks, being older than this command, lack an output."""
        deploy = deploy_command(self.aws.environment, self.model)
        return CliError(
            f"the deployed stacks put out no {output}: "
            f"{self.command('outputs')} lists what there is; what is new in the code takes {deploy}."
        )

    def command(self, words: str) -> str:
        """A command about this model, as a person would type it."""
        where = "" if self.aws.environment == LOCAL else f" --environment {self.aws.environment}"
        return f"./millrace {words}{where} --model {self.model}"

    def alarms(self) -> list[MetricAlarmTypeDef]:
        """The alarms that this model's stacks made, as they stand."""
        names = self._physical_ids("AWS::CloudWatch::Alarm")
        alarms: list[MetricAlarmTypeDef] = []
        for start in range(0, len(names), ALARMS_A_CALL):
            block = names[start : start + ALARMS_A_CALL]
            described = self.aws.cloudwatch.describe_alarms(AlarmNames=block, MaxRecords=ALARMS_A_CALL)
            alarms += described["MetricAlarms"]
        return alarms

    def _physical_ids(self, resource_type: str) -> list[str]:
        pages = self.aws.cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=stack_name(self.aws.environment, self.model, LOOP)
        )
        resources = (resource for page in pages for resource in page["StackResourceSummaries"])
        return sorted(r["PhysicalResourceId"] for r in resources if r["ResourceType"] == resource_type)


def stack_name(environment: str, model: str, part: str) -> str:
    """Name of one of a model's two stacks."""
    return f"millrace-{environment}-{model}-{part}"


def connect(environment: str, port: int) -> Aws:
    """AWS of an environment; `port` says which local cloud and means nothing elsewhere.

    Raises:
        CliError: the local cloud does not run, the environment is unknown, or the
            credentials at hand belong to another account.
    """
    return _local(port) if environment == LOCAL else _account(environment)


def _local(port: int) -> Aws:
    variables = local_variables(port)
    session = local_session(variables)
    options = {"endpoint_url": variables["AWS_ENDPOINT_URL"], "verify": variables["AWS_CA_BUNDLE"]}
    return Aws(LOCAL, session, options)


def local_session(variables: Mapping[str, str]) -> boto3.Session:
    """A session with the key and region among a local cloud's variables, whatever the shell is set to."""
    return boto3.Session(
        botocore_session=botocore.session.Session(NO_PROFILE),
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )


def local_variables(port: int) -> dict[str, str]:
    """The variables with which any AWS tool talks to the local cloud on a port. `ABSENT` must not be set.

    Raises:
        CliError: no cloud runs there.
    """
    folder = cloud_folder(port)
    if local.status(folder) is None:
        command = "./millrace up" if port == local.DEFAULT_PORT else f"./millrace up --port {port}"
        raise CliError(f"no local cloud is running on port {port}: start it with {command}.")
    return {name: value for name, value in local.environment(folder).items() if name not in ABSENT}


def _account(environment: str) -> Aws:
    from cli.kit.settings import environment_settings

    settings = environment_settings(environment)
    aws = Aws(environment, boto3.Session(region_name=settings.region))
    account = aws.session.client("sts").get_caller_identity()["Account"]
    if account != settings.account:
        raise CliError(
            f"environment {environment} is account {settings.account}, "
            f"but your credentials are for {account}: "
            "sign in to the right one, and unset AWS_ENDPOINT_URL if it points at the local cloud."
        )
    return aws


def deployed_models(aws: Aws) -> list[str]:
    """Names of the models whose stacks are deployed in an environment, sorted."""
    prefix, suffix = f"millrace-{aws.environment}-", f"-{LOOP}"
    return sorted(
        name.removeprefix(prefix).removesuffix(suffix)
        for name in _stack_names(aws)
        if name.startswith(prefix) and name.endswith(suffix)
    )


def _stack_names(aws: Aws) -> Iterator[str]:
    for page in aws.cloudformation.get_paginator("describe_stacks").paginate():
        yield from (stack["StackName"] for stack in page["Stacks"])


def deployment(aws: Aws, model: str | None) -> Deployment:
    """A deployed model: the one named, or the only one there is.

    Raises:
        CliError: none is deployed, that one is not, or several are and none was named.
    """
    name = model or _only(deployed_models(aws), aws.environment)
    outputs: dict[str, str] = {}
    for part in (STORAGE, LOOP):
        outputs |= _stack_outputs(aws, name, part)
    return Deployment(aws, name, outputs)


def _only(models: list[str], environment: str) -> str:
    if not models:
        raise CliError(f"no model is deployed in {environment}: run {deploy_command(environment)}.")
    if len(models) > 1:
        raise CliError(
            f"several models are deployed in {environment}: name one, such as --model {models[0]}."
        )
    return models[0]


def _stack_outputs(aws: Aws, model: str, part: str) -> dict[str, str]:
    try:
        stack = aws.cloudformation.describe_stacks(StackName=stack_name(aws.environment, model, part))[
            "Stacks"
        ][0]
    except ClientError as error:
        if "does not exist" not in error_message(error):
            raise
        command = deploy_command(aws.environment, model)
        raise CliError(f"model {model} is not deployed in {aws.environment}: run {command}.") from error
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}


def deploy_command(environment: str, model: str | None = None) -> str:
    """The command that deploys a model, as a person would type it."""
    options = [] if environment == LOCAL else ["--environment", environment]
    options += ["--model", model] if model else []
    return " ".join(["./millrace deploy", *options])
