"""The command `deploy`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from cli.aws.account.image_manifest import check_manifest
from cli.aws.cdk import cdk
from cli.aws.clients import Aws
from cli.aws.session import STORAGE, connect, deployment, stack_name
from cli.commands.quotas import warn_of_shortfalls
from cli.kit.errors import CliError, error_message
from cli.kit.locks import one_at_a_time
from cli.kit.options import DEFAULT_PORT, LOCAL, Environment, Port, examples
from cli.kit.paths import ROOT, STATE
from cli.kit.settings import default_model, environment_settings, model_settings
from cli.views.terminal import err, out, warn
from contract.layout import EXISTING, resource_name
from contract.names.image import CONTEXT
from contract.names.jobs import Variable
from contract.names.outputs import Output

EXAMPLES = examples(
    ("./millrace deploy", "the only model, or tumor, on the local cloud"),
    ("./millrace deploy --model income --model tumor", "two models, side by side"),
    ("./millrace deploy -c model=income", "the same words as the CDK CLI's"),
    ("./millrace deploy --environment dev --bootstrap", "the first time in an account"),
    ("./millrace deploy --environment prod -c image_uri=…@sha256:…", "with an image that was built before"),
)

Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        envvar=Variable.MODEL,
        metavar="NAME",
        help="A folder of models/; may be repeated. Default: the only one, or tumor.",
        show_default=False,
    ),
]
Context = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        "-c",
        metavar="KEY=VALUE",
        help="Handed to the CDK app; may be repeated.",
        show_default=False,
    ),
]
Bootstrap = Annotated[bool, typer.Option("--bootstrap", help="Run `cdk bootstrap` in the account first.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask about changes of permissions.")]

BOOTSTRAP_STACK = "CDKToolkit"


def deploy(
    environment: Environment = LOCAL,
    model: Models = None,
    context: Context = None,
    port: Port = DEFAULT_PORT,
    bootstrap: Bootstrap = False,
    yes: Yes = False,
) -> None:
    """Deploy models with the real CDK CLI. The first time on the local cloud it bootstraps, too."""
    extra = parse_context(context or [])
    environment = extra.pop("environment", environment)
    named = [extra.pop("model")] if "model" in extra else (model or [default_model(ROOT / "models")])
    for name in named:
        model_settings(name)
    aws = connect(environment, port)
    given = extra.get(CONTEXT) or environment_settings(environment).image_uri
    if given and environment != LOCAL:
        check_image(aws, given)
    prepare(aws, port, asked=bootstrap)
    for name in named:
        if environment != LOCAL:
            warn_of_shortfalls(aws, name)
        started = time.monotonic()
        deploy_model(aws, name, port=port, context=extra, ask=environment != LOCAL and not yes)
        if not given:
            check_image(aws, deployment(aws, name)[Output.IMAGE])
        out.print(f"Deployed [bold]{name}[/bold] to {environment} in {time.monotonic() - started:.0f} s.")


def check_image(aws: Aws, uri: str) -> None:
    """Check that SageMaker can read an image; the laptop's is none that anybody pulls.

    Raises:
        CliError: it cannot.
    """
    if note := check_manifest(aws, uri):
        warn(note)


def parse_context(pairs: list[str]) -> dict[str, str]:
    """`key=value` pairs as the CDK CLI takes them.

    Raises:
        typer.BadParameter: one has no `=`.
    """
    for pair in pairs:
        if "=" not in pair:
            raise typer.BadParameter(
                f"{pair!r} is not KEY=VALUE, such as model=income", param_hint="--context"
            )
    return dict(pair.split("=", 1) for pair in pairs)


def prepare(aws: Aws, port: int, *, asked: bool) -> bool:
    """Bootstrap the CDK where that was not done: unasked on the local cloud only. False if it was done.

    Raises:
        CliError: an account is not bootstrapped and nobody asked for it, or it failed.
    """
    with _alone(aws, port):
        return _prepare(aws, port, asked=asked)


def _prepare(aws: Aws, port: int, *, asked: bool) -> bool:
    if _is_bootstrapped(aws) and not asked:
        return False
    settings = environment_settings(aws.environment)
    if aws.environment != LOCAL and not asked:
        raise CliError(
            f"account {settings.account} is not bootstrapped for the CDK in {settings.region}: "
            f"run ./millrace deploy --environment {aws.environment} --bootstrap"
        )
    STATE.mkdir(exist_ok=True)
    with err.status("cdk bootstrap") as status:
        # Where no app is, none is synthesised only to be thrown away.
        cdk(aws.environment, port, "bootstrap", folder=STATE).run(
            "bootstrap",
            f"aws://{settings.account}/{settings.region}",
            on_progress=lambda text: status.update(f"cdk bootstrap  {text}"),
        )
    return True


def deploy_model(
    aws: Aws,
    model: str,
    *,
    port: int,
    context: dict[str, str] | None = None,
    ask: bool = False,
    on_progress: Callable[[str], None] | None = None,
) -> None:
    """Run `cdk deploy --all` for one model. With `ask`, on the terminal: it asks before widening permissions.

    Raises:
        CliError: it failed.
    """
    arguments = [
        "deploy",
        "--all",
        f"--require-approval={'broadening' if ask else 'never'}",
        "--progress=events",
        f"--output={STATE / 'cdk.out' / f'{aws.environment}-{port}-{model}'}",
    ]
    own = {"environment": aws.environment, "model": model, **left_behind(aws, model)}
    for key, value in {**(context or {}), **own}.items():
        arguments += ["-c", f"{key}={value}"]
    tool = cdk(aws.environment, port, f"deploy-{model}")
    with _alone(aws, port):
        if ask:
            tool.run_attached(*arguments)
        elif on_progress:
            tool.run(*arguments, on_progress=on_progress)
        else:
            with err.status(f"cdk deploy {model}") as status:
                tool.run(*arguments, on_progress=status.update)


def _alone(aws: Aws, port: int) -> AbstractContextManager[None]:
    """One command of this folder at a time deploys to an environment; another waits, and says so."""
    place = f"{aws.environment}-{port}" if aws.environment == LOCAL else aws.environment
    text = f"Another deploy to {aws.environment} is under way in this folder: waiting for it."
    return one_at_a_time(f"deploy-{place}", lambda: err.print(text))


def left_behind(aws: Aws, model: str) -> dict[str, str]:
    """The context that takes over a model package group, where one is left from a storage stack.

    A group has the model's name, cannot be made twice, and outlives its stack with the versions in it.
    """
    group = resource_name(aws.environment, model)
    try:
        aws.sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        resources = aws.cloudformation.describe_stack_resources(
            StackName=stack_name(aws.environment, model, STORAGE)
        )["StackResources"]
    except ClientError as error:
        if "does not exist" not in error_message(error):
            raise
        # Of the group: it is made. Of the stack: it was deleted.
        return {} if error.operation_name == "DescribeModelPackageGroup" else {"package_group": EXISTING}
    owned = any(
        resource["ResourceType"] == "AWS::SageMaker::ModelPackageGroup"
        # A stack whose creation failed lists what it gave up.
        and not resource["ResourceStatus"].startswith("DELETE")
        for resource in resources
    )
    return {} if owned else {"package_group": EXISTING}


def _is_bootstrapped(aws: Aws) -> bool:
    try:
        return bool(aws.cloudformation.describe_stacks(StackName=BOOTSTRAP_STACK)["Stacks"])
    except ClientError as error:
        if "does not exist" in error_message(error):
            return False
        raise
