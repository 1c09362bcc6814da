"""IAM is proven by execution: the loop fails when one statement is gone, and says which."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cli.kit import samples
from tests.end_to_end.laptop import Model, eventually, table

pytestmark = pytest.mark.local_cloud


@pytest.fixture
def without_invoke_endpoint(tumor: Model) -> Iterator[str]:
    """The scoring function's role without its statement on the endpoint; the role's name."""
    iam = tumor.laptop.client("iam")
    configuration = tumor.laptop.client("lambda").get_function_configuration(
        FunctionName=tumor.outputs["ScoreUploadFunction"]
    )
    role = configuration["Role"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    tumor.laptop.broken.add(role)
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(_without(document)))
    yield role
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def _without(document: Any) -> Any:
    reduced = copy.deepcopy(document)
    reduced["Statement"] = [s for s in document["Statement"] if "sagemaker:InvokeEndpoint" not in s["Action"]]
    assert len(reduced["Statement"]) == len(document["Statement"]) - 1
    return reduced


def test_one_statement_less_stops_the_loop_and_names_role_action_and_arn(
    tumor: Model, without_invoke_endpoint: str
) -> None:
    header, rows = samples.tumors()
    tumor.upload("score/forbidden.csv", table(header[:-1], [rows[0][:-1]]))

    denial = eventually(
        lambda: next((d for d in tumor.laptop.denials() if without_invoke_endpoint in d["principal"]), None),
        within=30,
        what="a denial is recorded",
    )

    assert denial["action"] == "sagemaker:InvokeEndpoint"
    assert denial["resource"].endswith(f":endpoint/{tumor.outputs['Endpoint']}")
    assert "is not authorized to perform: sagemaker:InvokeEndpoint" in denial["message"]
    assert tumor.outcomes("forbidden.csv") == []


def test_no_role_can_do_what_another_is_for(tumor: Model) -> None:
    iam = tumor.laptop.client("iam")
    verify = tumor.laptop.client("lambda").get_function_configuration(
        FunctionName=tumor.outputs["VerifyPackageFunction"]
    )["Role"]
    decision = iam.simulate_principal_policy(
        PolicySourceArn=verify,
        ActionNames=["sagemaker:InvokeEndpoint", "s3:DeleteObject", "s3:PutObject"],
        ResourceArns=["*"],
    )["EvaluationResults"]
    assert {d["EvalDecision"] for d in decision} == {"implicitDeny"}
