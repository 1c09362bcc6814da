"""The app: two stacks for one model in one environment, from settings read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from contract.code import code_digest
from contract.layout import EXISTING, resource_name
from contract.schema import MODEL_FILE
from infra.kit.bundle import make_bundle
from infra.kit.job_size import Size
from infra.settings import EnvironmentSettings, ModelSettings, SettingsError, load_environment, load_model
from infra.stacks.loop import LoopStack
from infra.stacks.storage import StorageStack

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
    environment: EnvironmentSettings
    model: ModelSettings
    package_group: str | None = None
    """`EXISTING` for a group that is left from a storage stack which was deleted."""

    @classmethod
    def read(
        cls,
        root: Path,
        *,
        environment: str | None = None,
        model: str | None = None,
        image_uri: str | None = None,
        package_group: str | None = None,
    ) -> Configuration:
        """Read `environments.toml` and a `model.toml` under a root folder.

        Raises:
            SettingsError: a file, or a name that was asked for, is wrong.
        """
        name = environment or DEFAULT_ENVIRONMENT
        if package_group not in (None, EXISTING):
            raise SettingsError(f"-c package_group: found {package_group!r}; allowed: {EXISTING!r}")
        return cls(
            root=root,
            environment_name=name,
            environment=load_environment(root, name, image_uri=image_uri),
            model=load_model(root, model or _only_model(root)),
            package_group=package_group,
        )

    @property
    def names(self) -> dict[str, str]:
        """The names of environment and model, which every stack is given."""
        return {"environment_name": self.environment_name, "model": self.model.name}

    def define_pipeline(self, name: str, digest: str) -> dict[str, Any]:
        """The training pipeline's definition, for jobs that run the code of a digest."""
        # Only now: the SDK behind it takes seconds to import, and wrong settings are found before.
        from infra.training.pipeline.definition import author

        settings = self.environment.training
        return author(
            name=name,
            size=Size(
                instance_type=settings.instance_type,
                volume_gib=settings.volume_gib,
                max_runtime_minutes=settings.max_runtime_minutes,
                spot_wait_minutes=settings.spot_wait_minutes,
            ),
            approval="Approved" if self.environment.approval == "automatic" else "PendingManualApproval",
            code_digest=digest,
            problem=self.model.problem,
            training=self.model.contract().training,
        )


def _only_model(root: Path) -> str:
    names = [path.parent.name for path in (root / "models").glob(f"*/{MODEL_FILE}")]
    return names[0] if len(names) == 1 else DEFAULT_MODEL


def compose(app: cdk.App, configuration: Configuration, *, build: Path) -> tuple[StorageStack, LoopStack]:
    """Put the two stacks into an app. Writes the functions' code under `build`; calls nobody."""
    name = resource_name(configuration.environment_name, configuration.model.name)
    digest = code_digest(configuration.root, configuration.model.name)
    contract = configuration.model.contract()
    common: dict[str, Any] = {
        **configuration.names,
        "environment": configuration.environment,
        "env": cdk.Environment(
            account=configuration.environment.account, region=configuration.environment.region
        ),
    }
    storage = StorageStack(
        app,
        f"{name}-storage",
        **common,
        serving=configuration.model.serving,
        group_exists=configuration.package_group == EXISTING,
        description=f"Millrace: the data and models of {name}",
    )
    loop = LoopStack(
        app,
        f"{name}-loop",
        **common,
        root=configuration.root,
        serving=configuration.model.serving,
        monitoring=configuration.model.monitoring,
        storage=storage.storage,
        bundle=make_bundle(
            root=configuration.root,
            contract=contract,
            gates=configuration.model.gates,
            folder=build / "lambdas" / name,
        ),
        code_digest=digest,
        definition=configuration.define_pipeline(name, digest),
        description=f"Millrace: training, release and scoring of {name}",
    )
    loop.add_stack_dependency(storage)
    tags = {
        "project": "millrace",
        "environment": configuration.environment_name,
        "model": configuration.model.name,
    }
    for key, value in (tags | configuration.environment.tags).items():
        cdk.Tags.of(app).add(key, value)
    for pack in (AwsSolutionsChecks, ServerlessChecks):
        cdk.Validations.of(app).add_plugins(pack(app, write_suppressions_to_cloud_formation=True))
    return storage, loop
