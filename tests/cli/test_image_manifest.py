"""An image whose manifest SageMaker would refuse is refused by `deploy`, with the command that mends it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.stub import Stubber

from cli.aws.account.image_manifest import check_manifest
from cli.aws.clients import Aws
from cli.kit.errors import CliError
from tests.cli.conftest import Run

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def ecr(aws: Aws) -> Any:
    """A registry with the repository `team/millrace`."""
    ecr = aws.session.client("ecr")
    ecr.create_repository(repositoryName="team/millrace")
    return ecr


def push(ecr: Any, media_type: str, tag: str = "1") -> str:
    """Push a manifest; its digest."""
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": {}, "layers": [], "manifests": []}
    image = ecr.put_image(
        repositoryName="team/millrace",
        imageManifest=json.dumps(manifest),
        imageManifestMediaType=media_type,
        imageTag=tag,
    )["image"]
    return str(image["imageId"]["imageDigest"])


def test_dockers_manifest_is_accepted_by_tag_and_by_digest(aws: Aws, ecr: Any) -> None:
    digest = push(ecr, DOCKER)

    assert check_manifest(aws, f"{HOST}/team/millrace:1") is None
    assert check_manifest(aws, f"{HOST}/team/millrace@{digest}") is None


@pytest.mark.parametrize("media_type", [OCI, INDEX, LIST])
def test_any_other_is_refused_with_the_command_that_mends_it(
    aws: Aws, media_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stubber(client := aws.session.client("ecr")) as stub:
        monkeypatch.setattr(type(aws.session), "client", lambda *_, **__: client)
        stub.add_response(
            "describe_images",
            {"imageDetails": [{"imageManifestMediaType": media_type}]},
            {
                "registryId": "123456789012",
                "repositoryName": "team/millrace",
                "imageIds": [{"imageTag": "7"}],
            },
        )
        with pytest.raises(CliError) as refused:
            check_manifest(aws, f"{HOST}/team/millrace:7")
    assert f"is {media_type}, which SageMaker refuses" in str(refused.value)
    command = str(refused.value).partition("Push it again with\n")[2]
    assert command.startswith("docker buildx build --platform linux/amd64 --provenance=false --output ")
    assert "oci-mediatypes=false,push=true" in command
    assert f"--tag {HOST}/team/millrace:7 " in command


@pytest.mark.parametrize("name", ["team/millrace:2", "team/other:1"])
def test_an_image_that_is_not_there_is_built_by_the_command(aws: Aws, ecr: Any, name: str) -> None:
    with pytest.raises(CliError, match=rf"no image {HOST}/{name}: build and push it with\ndocker buildx"):
        check_manifest(aws, f"{HOST}/{name}")


def test_of_a_digest_the_tag_is_left_to_the_person(aws: Aws, ecr: Any) -> None:
    with pytest.raises(CliError, match=r"--tag \S+/team/millrace:<tag> "):
        check_manifest(aws, f"{HOST}/team/millrace@sha256:{'0' * 64}")


def test_without_the_right_to_look_the_deployment_goes_on_with_a_note(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Stubber(client := aws.session.client("ecr")) as stub:
        monkeypatch.setattr(type(aws.session), "client", lambda *_, **__: client)
        stub.add_client_error("describe_images", "AccessDeniedException")
        note = check_manifest(aws, f"{HOST}/team/millrace:1")
    assert note
    assert "ecr:DescribeImages" in note


def test_deploy_refuses_before_anything_is_changed(
    aws: Aws, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "arn:aws:iam::111122223333:role/deployer"
    keys = aws.session.client("sts").assume_role(RoleArn=role, RoleSessionName="deployer")["Credentials"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["SecretAccessKey"])
    monkeypatch.setenv("AWS_SESSION_TOKEN", keys["SessionToken"])
    uri = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/millrace:1"

    result = run("deploy", "--environment", "dev", "-c", f"image_uri={uri}")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: there is no image {uri}: build and push it with\ndocker buildx")
