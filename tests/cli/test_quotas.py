"""What a model needs of an account's quotas is compared with what there is, before it fails for want of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from cli.aws.account.service_quotas import Need, Quota, compared, needed
from cli.aws.clients import Aws
from cli.kit.errors import CliError
from infra.settings import load_environment, load_model
from tests.cli.conftest import Run

TRAINING, ENDPOINT = "ml.m5.xlarge for training job usage", "ml.m5.large for endpoint usage"


def test_what_is_needed_at_one_time_is_added_up(root: Path) -> None:
    environment, model = load_environment(root, "dev"), load_model(root, "tumor")

    assert needed(environment, model) == {
        "ml.m5.large for endpoint usage": 4,  # an update runs the new ones beside the old ones
        "ml.m5.large for processing job usage": 2,  # of a batch, and of the monitor
        "ml.m5.large for transform job usage": 1,
        "ml.m5.xlarge for processing job usage": 1,
        "ml.m5.xlarge for training job usage": 1,
    }


def test_a_search_a_spot_instance_and_no_endpoint_need_others(root: Path) -> None:
    environment, model = load_environment(root, "dev"), load_model(root, "tumor")
    spot = environment.training.model_copy(update={"spot_wait_minutes": 60})
    search = model.training.search.model_copy(update={"max_parallel_jobs": 3, "parameters": {"x": None}})
    model = model.model_copy(
        update={
            "training": model.training.model_copy(update={"search": search}),
            "serving": model.serving.model_copy(update={"mode": "batch"}),
        }
    )

    uses = needed(environment.model_copy(update={"training": spot}), model)

    assert uses["ml.m5.xlarge for spot training job usage"] == 3
    assert TRAINING not in uses
    assert ENDPOINT not in uses


def quota(name: str, value: float, code: str = "L-1") -> dict[str, Any]:
    return {"ServiceCode": "sagemaker", "QuotaName": name, "QuotaCode": code, "Value": value}


def stubbed(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = aws.session.client("service-quotas")
    monkeypatch.setattr(type(aws.session), "client", lambda *_, **__: client)
    return Stubber(client)


def test_what_is_applied_to_the_account_counts_and_else_the_default(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stubbed(aws, monkeypatch) as stub:
        defaults = [quota(TRAINING, 0), quota(ENDPOINT, 2, "L-2"), quota("another", 9)]
        stub.add_response(
            "list_aws_default_service_quotas", {"Quotas": defaults}, {"ServiceCode": "sagemaker"}
        )
        stub.add_response(
            "list_service_quotas", {"Quotas": [quota(ENDPOINT, 8, "L-2")]}, {"ServiceCode": "sagemaker"}
        )
        training, endpoint, unknown = compared(aws, {TRAINING: 1, ENDPOINT: 8, "ml.new.large for x": 1})

    assert training == Need(name=TRAINING, needed=1, quota=Quota(name=TRAINING, code="L-1", value=0))
    assert (training.is_met, endpoint.is_met, unknown.is_met) == (False, True, False)
    assert training.command("eu-west-1") == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --region eu-west-1 "
        "--quota-code L-1 --desired-value 1"
    )


def test_without_the_right_to_read_quotas_a_sentence_says_which_it_is(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stubbed(aws, monkeypatch) as stub:
        stub.add_client_error("list_aws_default_service_quotas", "AccessDeniedException")
        with pytest.raises(CliError, match="lacks servicequotas:ListServiceQuotas"):
            compared(aws, {TRAINING: 1})


def test_the_laptop_has_none(run: Run) -> None:
    result = run("quotas")

    assert result.exit_code == 2
    assert "the laptop has no quotas" in result.stderr
