"""The one image of jobs and model server: given by URI, or built by `cdk deploy`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from contract.names.image import DOCKER_OUTPUT
from contract.names.outputs import Output
from infra.kit.capability import Composite
from infra.kit.iam import Allow, arn
from infra.settings.environment import ECR_IMAGE

SOURCES = ("adapters", "container", "contract", "metrics", "monitoring", "scoring", "tabular", "training")
"""Folders of the image, besides the model's."""


class Image(Composite, Construct):
    """An image in ECR and the statements a role needs to pull it."""

    def __init__(self, scope: Construct, name: str, *, root: Path, model: str, uri: str | None) -> None:
        super().__init__(scope, name)
        if uri is None:
            asset = ecr_assets.DockerImageAsset(
                self,
                "Asset",
                directory=str(root),
                file="container/Dockerfile",
                exclude=[
                    "**",
                    *(f"!{folder}/**" for folder in SOURCES),
                    f"!models/{model}/**",
                    "**/__pycache__",
                ],
                ignore_mode=cdk.IgnoreMode.DOCKER,
                platform=ecr_assets.Platform.LINUX_AMD64,
                outputs=[DOCKER_OUTPUT],
            )
            self.uri = asset.image_uri
            repository = asset.repository.repository_arn
        else:
            self.uri = uri
            repository = _repository_arn(uri)
        self.read_manifest = Allow(
            actions=["ecr:BatchGetImage", "ecr:DescribeImages"], resources=[repository]
        )
        """Read which image a URI names, as SageMaker does when a package is registered."""
        self.pull = pull(repository)

    def own_outputs(self) -> Mapping[str, str]:
        """The image's URI."""
        return {Output.IMAGE: self.uri}


def pull(*repositories: str) -> tuple[Allow, Allow]:
    """Pull images of some repositories, by their ARNs."""
    return (
        Allow(
            actions=[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
            ],
            resources=repositories,
        ),
        Allow(
            actions=["ecr:GetAuthorizationToken"],
            resources=["*"],
            because="ECR gives one token for a registry: the action has no resource.",
        ),
    )


def repositories(scope: Construct, uri: str | None) -> tuple[str, ...]:
    """The ARNs of the repositories from which a live model's image may be: the CDK's, and that of a URI.

    An image that was built is in the CDK's, one that was given where it was given from; the live model
    may be of either, whichever the next one is of.
    """
    stack = cdk.Stack.of(scope)
    qualifier = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
    name = f"cdk-{qualifier}-container-assets-{stack.account}-{stack.region}"
    built = arn(scope, "ecr", f"repository/{name}")
    return (built, _repository_arn(uri)) if uri else (built,)


def _repository_arn(uri: str) -> str:
    match = re.match(ECR_IMAGE, uri)
    assert match is not None, "settings only let through URIs of images in ECR"
    place = match.groupdict()
    return (
        f"arn:{cdk.Aws.PARTITION}:ecr:{place['region']}:{place['account']}:repository/{place['repository']}"
    )
