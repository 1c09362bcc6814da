"""A state machine that logs is made only with a role that may deliver logs: each of eight actions."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from local.cloud.stepfunctions.log_delivery import ACTIONS

pytestmark = pytest.mark.local_cloud
DEFINITION = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
LOG = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:l:*"}}


def role(cloud: Any, *actions: str) -> str:
    iam, name = cloud.client("iam"), f"machine-{uuid4().hex[:8]}"
    service = {"Service": "states.amazonaws.com"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": service}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])
    if actions:
        allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=policy)
    return arn


def create(cloud: Any, role_arn: str, level: str) -> str:
    return str(
        cloud.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid4().hex[:8]}",
            definition=DEFINITION,
            roleArn=role_arn,
            loggingConfiguration={"level": level, "destinations": [LOG] if level != "OFF" else []},
        )["stateMachineArn"]
    )


def test_a_role_that_may_all_of_it(running_cloud: Any) -> None:
    assert create(running_cloud, role(running_cloud, *ACTIONS), "ALL")


@pytest.mark.parametrize("missing", ACTIONS)
def test_a_role_that_lacks_one(running_cloud: Any, missing: str) -> None:
    actions = [action for action in ACTIONS if action != missing]
    with pytest.raises(ClientError, match=f"not authorized to access the Log Destination.*{missing}"):
        create(running_cloud, role(running_cloud, *actions), "ERROR")


def test_a_machine_that_begins_to_log_is_looked_at_then(running_cloud: Any) -> None:
    arn = create(running_cloud, role(running_cloud), "OFF")
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        running_cloud.client("stepfunctions").update_state_machine(
            stateMachineArn=arn, loggingConfiguration={"level": "ALL", "destinations": [LOG]}
        )
