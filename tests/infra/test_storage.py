"""What must be kept is encrypted, versioned, private, and stays when its stack goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.app import Configuration
from infra.settings import SettingsError
from infra.training.pipeline.template import render
from tests.synthesis import Synthesis, compose_alone

pytestmark = pytest.mark.synth


def buckets(stacks: Synthesis) -> dict[str, dict[str, Any]]:
    found = stacks.of_type("AWS::S3::Bucket")
    assert len(found) == 4
    return found


def test_the_stateful_stack_keeps_what_is_in_it(stacks: Synthesis) -> None:
    kept = {name: r for name, r in stacks.storage["Resources"].items() if "Policy" not in r["Type"]}
    for name, resource in kept.items():
        if resource["Type"] != "AWS::KMS::Alias":
            assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name


def test_a_group_that_is_left_from_an_earlier_stack_is_taken_over(root: Path, tmp_path: Path) -> None:
    """Its name is the model's, so that it could not be made a second time."""
    configuration = Configuration.read(root, environment="local", model="tumor", package_group="existing")
    stacks = compose_alone(configuration, tmp_path)
    assert not stacks.of_type("AWS::SageMaker::ModelPackageGroup")
    assert stacks.storage["Outputs"]["ModelPackageGroup"]["Value"] == "millrace-local-tumor"


def test_only_an_existing_group_can_be_asked_for(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"-c package_group: found 'mine'; allowed: 'existing'"):
        Configuration.read(root, environment="local", model="tumor", package_group="mine")


def test_nothing_stateful_is_in_the_stateless_stack(stacks: Synthesis) -> None:
    kinds = {resource["Type"] for resource in stacks.loop["Resources"].values()}
    assert not kinds & {"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SageMaker::ModelPackageGroup"}


def test_every_bucket_is_versioned_private_and_logged(stacks: Synthesis) -> None:
    for name, bucket in buckets(stacks).items():
        properties = bucket["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert properties["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
        assert properties["LifecycleConfiguration"]["Rules"]
        assert "LoggingConfiguration" in properties or name.startswith("AccessLogs")


def test_every_bucket_but_the_logs_is_encrypted_with_the_models_key(stacks: Synthesis) -> None:
    [key] = stacks.of_type("AWS::KMS::Key")
    for name, bucket in buckets(stacks).items():
        [rule] = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        default = rule["ServerSideEncryptionByDefault"]
        if name.startswith("AccessLogs"):
            assert default == {"SSEAlgorithm": "AES256"}
        else:
            assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": [key, "Arn"]}}


def test_every_bucket_refuses_plain_http(stacks: Synthesis) -> None:
    policies = {
        policy["Properties"]["Bucket"]["Ref"]: policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in stacks.of_type("AWS::S3::BucketPolicy").values()
    }
    for name in buckets(stacks):
        [denied] = [
            s for s in policies[name] if s.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        ]
        assert (denied["Effect"], denied["Action"], denied["Principal"]) == ("Deny", "s3:*", {"AWS": "*"})
        assert [render(r) for r in denied["Resource"]] == [
            f"arn:aws:iam::111122223333:role/{name}",
            f"arn:aws:iam::111122223333:role/{name}/*",
        ]


def test_only_uploads_and_results_are_announced(stacks: Synthesis) -> None:
    announcing = [
        name
        for name, bucket in buckets(stacks).items()
        if bucket["Properties"].get("NotificationConfiguration", {}).get("EventBridgeConfiguration")
    ]
    assert sorted(name[:7] for name in announcing) == ["Data666", "Results"]


def test_results_outlive_the_queues(stacks: Synthesis) -> None:
    for bucket in buckets(stacks).values():
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]:
            # A result that is gone while its event may still be delivered would be made again.
            assert rule.get("ExpirationInDays", 15) >= 15
            # An upload that was overwritten is read at its version.
            assert rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays", 15) >= 15


def test_the_key_rotates_and_serves_logs_and_alarms_of_this_model_only(stacks: Synthesis) -> None:
    [key] = stacks.of_type("AWS::KMS::Key").values()
    assert key["Properties"]["EnableKeyRotation"] is True
    name = f"millrace-{stacks.configuration.environment_name}-tumor"
    allowed = key["Properties"]["KeyPolicy"]["Statement"]
    services = {s["Principal"]["Service"]: s for s in allowed if "Service" in s["Principal"]}
    writer = f"logs.{stacks.configuration.environment.region}.amazonaws.com"
    assert set(services) == {writer, "cloudwatch.amazonaws.com"}
    # With less, CloudWatch drops pages, and log groups are refused.
    assert services["cloudwatch.amazonaws.com"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*"} <= set(services[writer]["Action"])
    logs = services[writer]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert all(f"/{name}-*" in render(arn) for arn in logs)
    alarms = services["cloudwatch.amazonaws.com"]["Condition"]
    assert f":alarm:{name}-*" in render(alarms["ArnLike"]["aws:SourceArn"])
    assert alarms["StringEquals"] == {"aws:SourceAccount": stacks.configuration.environment.account}


def test_stacks_know_each_other_by_name_only(stacks: Synthesis) -> None:
    exports = {
        output["Export"]["Name"] for output in stacks.storage["Outputs"].values() if "Export" in output
    }
    prefix = f"millrace-{stacks.configuration.environment_name}-tumor-storage"
    names = ("DataBucket", "ResultsBucket", "ArtifactsBucket", "KeyArn", "ServingRoleArn")
    assert exports == {f"{prefix}:{name}" for name in names}


def test_captured_requests_are_deleted_in_time(stacks: Synthesis) -> None:
    [artifacts] = [bucket for name, bucket in buckets(stacks).items() if name.startswith("Artifacts")]
    rules = artifacts["Properties"]["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if rule.get("Prefix") == "captured/"]
    assert rule["ExpirationInDays"] == stacks.configuration.environment.retention.captured_days
