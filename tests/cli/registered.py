"""Model packages as the training pipeline registers them, in a mocked account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cli.aws.clients import Aws
from cli.aws.session import Deployment
from contract.layout import live_parameter
from tests.cli.conftest import deploy

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import MetricsSourceTypeDef

GROUP = "millrace-dev-tumor"
EVALUATIONS = "artifacts"
CARD = {"intended_uses": {"risk_rating": "Unknown"}, "additional_information": {"custom_details": {"x": "é"}}}


def deploy_group(aws: Aws) -> Deployment:
    """A deployed model with a package group, a data bucket and a results bucket."""
    aws.s3.create_bucket(Bucket=EVALUATIONS, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    aws.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    buckets = {"Results": {"Type": "AWS::S3::Bucket"}}
    outputs = {
        "ModelPackageGroup": GROUP,
        "ResultsBucket": {"Ref": "Results"},
        "ArtifactsBucket": EVALUATIONS,
    }
    return deploy(aws, "tumor", buckets, outputs)


def register(aws: Aws, dataset: str, auc: float, run: str = "r1") -> str:
    """Register a version trained on a dataset that waits for its approval. Returns its ARN."""
    gate = {"name": "roc_auc", "condition": ">= 0.9", "value": auc, "passed": auc >= 0.9, "says": ""}
    metrics = {"roc_auc": {"value": auc, "low": auc - 0.01, "high": None}}
    key = f"runs/{run}-{auc}/evaluation.json"
    body = json.dumps({"metrics": metrics, "gates": [gate]})
    aws.s3.put_object(Bucket=EVALUATIONS, Key=key, Body=body)
    aws.s3.put_object(Bucket=EVALUATIONS, Key=f"runs/{run}-{auc}/report.html", Body=f"<h1>{auc}</h1>")
    card = f"runs/{run}-{auc}/card.json"
    aws.s3.put_object(Bucket=EVALUATIONS, Key=card, Body=json.dumps(CARD))
    statistics: MetricsSourceTypeDef = {
        "ContentType": "application/json",
        "S3Uri": f"s3://{EVALUATIONS}/{key}",
    }
    return aws.sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="PendingManualApproval",
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        CustomerMetadataProperties={
            "dataset_version": dataset,
            "code_digest": "c0de" * 16,
            "run_uri": f"s3://{EVALUATIONS}/runs/{run}/",
            "report": f"s3://{EVALUATIONS}/runs/{run}-{auc}/report.html",
            "card": f"s3://{EVALUATIONS}/{card}",
        },
    )["ModelPackageArn"]


def live(deployed: Deployment, number: int) -> None:
    """Let a version be the one that is live."""
    value = {"model_version": f"{GROUP}/{number}", "model_package_arn": "arn", "released_at": "2026-11-21"}
    deployed.aws.ssm.put_parameter(
        Name=live_parameter("dev", "tumor"), Value=json.dumps(value), Type="String", Overwrite=True
    )
