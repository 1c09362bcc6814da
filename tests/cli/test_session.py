"""Which deployment a command speaks to."""

from __future__ import annotations

import pytest

from cli.aws.clients import Aws
from cli.aws.session import deployed_models, deployment, local_session
from cli.kit.errors import CliError
from tests.cli.conftest import deploy


def test_the_only_model_needs_no_name(aws: Aws) -> None:
    deploy(aws, "tumor", {}, {"Endpoint": "millrace-dev-tumor"})

    found = deployment(aws, None)

    assert found.model == "tumor"
    assert found["Endpoint"] == "millrace-dev-tumor"
    assert found["DataBucket"] in {bucket["Name"] for bucket in aws.s3.list_buckets()["Buckets"]}


def test_of_several_models_one_is_named(aws: Aws) -> None:
    deploy(aws, "tumor", {}, {})
    deploy(aws, "income", {}, {})

    assert deployed_models(aws) == ["income", "tumor"]
    with pytest.raises(CliError, match=r"several models .* --model income"):
        deployment(aws, None)


def test_models_of_other_environments_are_not_seen(aws: Aws) -> None:
    deploy(Aws("prod", aws.session), "tumor", {}, {})

    with pytest.raises(
        CliError, match=r"no model is deployed in dev: run ./millrace deploy --environment dev"
    ):
        deployment(aws, None)


def test_a_model_that_is_not_deployed(aws: Aws) -> None:
    with pytest.raises(
        CliError, match=r"income is not deployed in dev: run .* --environment dev --model income"
    ):
        deployment(aws, "income")


def test_an_output_of_newer_stacks(aws: Aws) -> None:
    with pytest.raises(CliError, match=r"no DataBuckt \(did you mean DataBucket\?\): ./millrace outputs"):
        deploy(aws, "tumor", {}, {})["DataBuckt"]
    with pytest.raises(CliError, match=r"put out no Pipeline: .* takes ./millrace deploy --env"):
        deployment(aws, "tumor")["Pipeline"]


@pytest.mark.parametrize("profile", ["no-such-profile", ""])
def test_the_laptop_does_not_care_which_profile_a_shell_is_set_to(
    monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "another account's")

    session = local_session(
        {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
    )

    credentials = session.get_credentials()
    assert credentials is not None
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("a", "b", None)
    assert session.client("sts", endpoint_url="https://127.0.0.1:1").meta.region_name == "us-east-1"
