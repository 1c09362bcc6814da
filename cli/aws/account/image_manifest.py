"""The manifest of the image in ECR, which SageMaker must be able to read."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from cli.aws.clients import Aws
from cli.kit.errors import CliError, error_code
from contract.names.image import DOCKER_OUTPUT
from infra.settings.environment import ECR_IMAGE

_DOCKER = "application/vnd.docker.distribution.manifest"
READABLE = frozenset({f"{_DOCKER}.v2+json", f"{_DOCKER}.v1+json", f"{_DOCKER}.v1+prettyjws"})
"""The media types of manifests that SageMaker takes: Docker's, of one platform, and none of OCI's."""
_MISSING = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})


def check_manifest(aws: Aws, uri: str) -> str | None:
    """Check that SageMaker can read an image; a note where that could not be found out.

    Raises:
        CliError: it cannot, or there is no such image. The message has the command that mends it.
    """
    image = re.fullmatch(ECR_IMAGE, uri)
    if image is None:
        raise CliError(f"{uri} is no image in ECR: <account>.dkr.ecr.<region>.amazonaws.com/<name>:<tag>")
    try:
        media_type = _media_type(aws, image)
    except ClientError as error:
        if error_code(error) in _MISSING:
            command = push_command(image)
            raise CliError(f"there is no image {uri}: build and push it with\n{command}") from error
        if "AccessDenied" in error_code(error):
            return f"the manifest of {uri} was not checked: you may not call ecr:DescribeImages on it."
        raise
    if media_type in READABLE:
        return None
    raise CliError(
        f"the manifest of the image {uri} is {media_type}, which SageMaker refuses when it makes a model: "
        f"it takes Docker's, of one platform. Push it again with\n{push_command(image)}"
    )


def push_command(image: re.Match[str]) -> str:
    """The command that builds the image and pushes it with a manifest that SageMaker takes."""
    host, _, _ = image.string.partition("/")
    tag = image["reference"] if image["reference"].startswith(":") else ":<tag>"
    output = f"{DOCKER_OUTPUT},push=true"
    return (
        f"docker buildx build --platform linux/amd64 --provenance=false --output {output} \\\n"
        f"  --tag {host}/{image['repository']}{tag} --file container/Dockerfile ."
    )


def _media_type(aws: Aws, image: re.Match[str]) -> str:
    ecr = aws.session.client("ecr", **{**aws.options, "region_name": image["region"]})
    mark, name = image["reference"][0], image["reference"][1:]
    described = ecr.describe_images(
        registryId=image["account"],
        repositoryName=image["repository"],
        imageIds=[{"imageDigest": name} if mark == "@" else {"imageTag": name}],
    )
    return str(described["imageDetails"][0].get("imageManifestMediaType", "unknown"))
