"""The app: two stacks for one model in one environment, from settings read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from contract.code import code_digest
from contract.layout import resource_name
from infra.bundle import make_bundle
from infra.loop_stack import LoopStack
from infra.pipeline.definition import Size, author
from infra.settings import Environment, Model, load_environment, load_model
from infra.storage_stack import StorageStack

DEFAULT_ENVIRONMENT = "local"
DEFAULT_MODEL = "tumor"
FLAGS = {
    "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True,
    "@aws-cdk/aws-iam:minimizePolicies": True,
}
"""CDK's choices that the stacks rely on. Here rather than in cdk.json, so that tests make them too."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All that decides what is synthesised."""

    root: Path
    environment_name: str
    environment: Environment
    model: Model

    @classmethod
    def read(
        cls,
        root: Path,
        *,
        environment: str | None = None,
        model: str | None = None,
        image_uri: str | None = None,
    ) -> Configuration:
        """Read `environments.toml` and a `model.toml` under a root folder.

        Raises:
            SettingsError: a file, or a name that was asked for, is wrong.
        """
        name = environment or DEFAULT_ENVIRONMENT
        settings = load_environment(root, name)
        if image_uri:
            settings = settings.model_copy(update={"image_uri": image_uri})
        return cls(
            root=root,
            environment_name=name,
            environment=settings,
            model=load_model(root, model or _only_model(root)),
        )


def _only_model(root: Path) -> str:
    names = [path.parent.name for path in (root / "models").glob("*/model.toml")]
    return names[0] if len(names) == 1 else DEFAULT_MODEL


def compose(app: cdk.App, configuration: Configuration) -> tuple[StorageStack, LoopStack]:
    """Put the two stacks into an app. Writes the functions' code to `build/`; calls nobody."""
    environment, model = configuration.environment, configuration.model.name
    name = resource_name(configuration.environment_name, model)
    account = cdk.Environment(account=environment.account, region=environment.region)
    digest = code_digest(configuration.root, model)
    storage = StorageStack(
        app,
        f"{name}-storage",
        env=account,
        environment_name=configuration.environment_name,
        model=model,
        environment=environment,
        description=f"Millrace: what must be kept of {model} in {configuration.environment_name}",
    )
    loop = LoopStack(
        app,
        f"{name}-loop",
        env=account,
        root=configuration.root,
        environment_name=configuration.environment_name,
        model=model,
        environment=environment,
        storage=storage.storage,
        bundle=make_bundle(
            root=configuration.root,
            contract=configuration.model.contract(),
            folder=configuration.root / "build" / "lambdas" / name,
        ),
        code_digest=digest,
        definition=author(
            name=name,
            size=Size(
                instance_type=environment.training.instance_type,
                volume_gib=environment.training.volume_gib,
                max_runtime_minutes=environment.training.max_runtime_minutes,
            ),
            approval="Approved" if environment.approval == "automatic" else "PendingManualApproval",
            code_digest=digest,
        ),
        description=f"Millrace: training, release and scoring of {model} in {configuration.environment_name}",
    )
    loop.add_stack_dependency(storage)
    tags = {"project": "millrace", "environment": configuration.environment_name, "model": model}
    for key, value in (tags | environment.tags).items():
        cdk.Tags.of(app).add(key, value)
    for pack in (AwsSolutionsChecks, ServerlessChecks):
        cdk.Validations.of(app).add_plugins(pack(app, write_suppressions_to_cloud_formation=True))
    return storage, loop
