"""Which deployment a command speaks to."""

from __future__ import annotations

import pytest

from cli.aws import Aws
from cli.errors import CliError
from cli.session import deployed_models, deployment
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
