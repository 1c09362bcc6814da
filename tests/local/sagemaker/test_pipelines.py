"""Pipelines, as they execute on a cloud."""

from __future__ import annotations

import gzip
import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.workbench import (
    BUCKET,
    CLUSTER,
    IMAGE,
    Workbench,
    source,
    target,
    training,
    wait_for,
)

pytestmark = pytest.mark.local_cloud

IN, OUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
RUN = {"Get": "Parameters.RunUri"}


def processing(role: str, arguments: list[Any], inputs: list[Any], outputs: list[Any]) -> dict[str, Any]:
    return {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": arguments},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs},
        "ProcessingResources": CLUSTER,
        "RoleArn": role,
    }


def under_run(name: str) -> dict[str, Any]:
    return {"Std:Join": {"On": "/", "Values": [RUN, name]}}


def loop(workbench: Workbench, group: str) -> dict[str, Any]:
    """prepare → train → evaluate → gate → register, or reject."""
    role = workbench.job_role
    train_output = "Steps.prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri"
    model = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}
    json_get = {"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.Evaluation"}, "Path": "passed"}
    missed = {"PropertyFile": {"Get": "Steps.evaluate.PropertyFiles.Evaluation"}, "Path": "missed"}
    register = {
        "ModelPackageGroupName": group,
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["application/jsonlines"],
        },
        "CustomerMetadataProperties": {"run": RUN},
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "RunUri", "Type": "String"},
            {"Name": "Passed", "Type": "String", "DefaultValue": "true"},
        ],
        "Steps": [
            {
                "Name": "prepare",
                "Type": "Processing",
                "Arguments": processing(
                    role,
                    ["prepare"],
                    [source(f"s3://{BUCKET}/loop/data", f"{IN}/dataset")],
                    [target(under_run("train"), f"{OUT}/train", "train")],  # type: ignore[arg-type]
                ),
            },
            {"Name": "train", "Type": "Training", "Arguments": training({"Get": train_output}, role)},
            {
                "Name": "evaluate",
                "Type": "Processing",
                "Arguments": processing(
                    role,
                    ["evaluate", {"Get": "Parameters.Passed"}],
                    [source(model, f"{IN}/model", "model")],  # type: ignore[arg-type]
                    [target(under_run("evaluation"), f"{OUT}/evaluation", "evaluation")],  # type: ignore[arg-type]
                ),
                "PropertyFiles": [
                    {
                        "PropertyFileName": "Evaluation",
                        "OutputName": "evaluation",
                        "FilePath": "evaluation.json",
                    }
                ],
            },
            {
                "Name": "gate",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [
                        {"Type": "Equals", "LeftValue": {"Std:JsonGet": json_get}, "RightValue": True}
                    ],
                    "IfSteps": [{"Name": "register", "Type": "RegisterModel", "Arguments": register}],
                    "ElseSteps": [
                        {
                            "Name": "reject",
                            "Type": "Fail",
                            "Arguments": {"ErrorMessage": {"Std:JsonGet": missed}},
                        }
                    ],
                },
            },
        ],
    }


def create(workbench: Workbench, definition: dict[str, Any], role: str | None = None) -> str:
    name = f"pipeline-{uuid4().hex[:8]}"
    workbench.put("loop/data/a.csv", "x\n1\n")
    workbench.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=role or workbench.pipeline_role,
        ClientRequestToken=uuid4().hex,
    )
    return name


def start(workbench: Workbench, pipeline: str, **values: str) -> str:
    arn: str = workbench.sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[
            {"Name": name, "Value": value}
            for name, value in {"RunUri": f"s3://{BUCKET}/runs/{uuid4().hex}", **values}.items()
        ],
        ClientRequestToken=uuid4().hex,
    )["PipelineExecutionArn"]
    return arn


@pytest.fixture(scope="module")
def group(workbench: Workbench) -> str:
    name = f"group-{uuid4().hex[:8]}"
    workbench.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def test_whole_loop_registers_a_model(workbench: Workbench, group: str) -> None:
    arn = start(workbench, create(workbench, loop(workbench, group)))
    execution = workbench.executed(arn)
    steps = workbench.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    assert list(reversed(steps)) == ["prepare", "train", "evaluate", "gate", "register"]
    assert steps["gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    identity = arn.rpartition("/")[2]
    assert f"training-job/pipelines-{identity}-train-" in steps["train"]["Metadata"]["TrainingJob"]["Arn"]
    package = workbench.sagemaker.describe_model_package(
        ModelPackageName=steps["register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["MetadataProperties"]["GeneratedBy"] == arn
    assert package["CustomerMetadataProperties"]["run"].startswith(f"s3://{BUCKET}/runs/")
    assert b"model.json" in _unzipped(
        workbench.get(package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
    )


def test_missed_gate_fails_with_its_sentence(workbench: Workbench, group: str) -> None:
    arn = start(workbench, create(workbench, loop(workbench, group)), Passed="false")
    execution = workbench.executed(arn)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = workbench.steps(arn)
    assert steps["reject"]["FailureReason"] == "auc is 0.1"
    assert "register" not in steps


def test_failed_job_fails_its_step_and_nothing_follows(workbench: Workbench, group: str) -> None:
    definition = loop(workbench, group)
    definition["Steps"][0]["Arguments"]["AppSpecification"]["ContainerArguments"] = ["broken"]
    arn = start(workbench, create(workbench, definition))
    assert workbench.executed(arn)["PipelineExecutionStatus"] == "Failed"
    steps = workbench.steps(arn)
    assert list(steps) == ["prepare"]
    assert (
        steps["prepare"]["FailureReason"]
        == "AlgorithmError: column age: 3 values are no numbers, exit code: 1"
    )


def test_nothing_starts_after_a_failure(workbench: Workbench, group: str) -> None:
    broken = processing(workbench.job_role, ["broken"], [], [])
    steps = [{"Name": name, "Type": "Processing", "Arguments": broken} for name in ("first", "second")]
    pipeline = create(workbench, {"Version": "2020-12-01", "Steps": steps})
    arn = workbench.sagemaker.start_pipeline_execution(
        PipelineName=pipeline, ParallelismConfiguration={"MaxParallelExecutionSteps": 1}
    )["PipelineExecutionArn"]
    workbench.executed(arn)
    assert list(workbench.steps(arn)) == ["first"]


def test_same_token_starts_one_execution(workbench: Workbench, group: str) -> None:
    pipeline = create(workbench, loop(workbench, group))
    parameters = [{"Name": "RunUri", "Value": f"s3://{BUCKET}/runs/once"}]
    request = {"PipelineName": pipeline, "PipelineParameters": parameters, "ClientRequestToken": "0" * 32}
    first, second = (
        workbench.sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"] for _ in range(2)
    )
    assert first == second
    found = workbench.sagemaker.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [execution["PipelineExecutionArn"] for execution in found] == [first]
    workbench.executed(first)


def test_pipeline_role_needs_to_pass_the_jobs_role(workbench: Workbench, group: str) -> None:
    role = workbench.role("nopass", ["sagemaker.amazonaws.com"], ["sagemaker:*"])
    arn = start(workbench, create(workbench, loop(workbench, group), role))
    workbench.executed(arn)
    reason = workbench.steps(arn)["prepare"]["FailureReason"]
    assert reason.startswith(
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: User: arn:aws:sts"
    )
    assert f"not authorized to perform: iam:PassRole on resource: {workbench.job_role}" in reason


def test_pipeline_role_needs_to_tag_the_jobs(workbench: Workbench, group: str) -> None:
    actions = ["sagemaker:CreateProcessingJob", "iam:PassRole"]
    role = workbench.role("notag", ["sagemaker.amazonaws.com"], actions)
    arn = start(workbench, create(workbench, loop(workbench, group), role))
    workbench.executed(arn)
    assert (
        "sagemaker:AddTags on resource: arn:aws:sagemaker" in workbench.steps(arn)["prepare"]["FailureReason"]
    )


def test_stopping_an_execution_stops_its_job(workbench: Workbench, group: str) -> None:
    definition = loop(workbench, group)
    definition["Steps"][0]["Arguments"]["AppSpecification"]["ContainerArguments"] = ["wait"]
    arn = start(workbench, create(workbench, definition))
    step = wait_for(lambda: workbench.steps(arn).get("prepare", {}).get("Metadata"), "the job")
    workbench.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=uuid4().hex)
    assert workbench.executed(arn)["PipelineExecutionStatus"] == "Stopped"
    assert workbench.steps(arn)["prepare"]["StepStatus"] == "Stopped"
    assert (
        workbench.processed(step["ProcessingJob"]["Arn"].rpartition("/")[2])["ProcessingJobStatus"]
        == "Stopped"
    )


def test_execution_keeps_its_definition_and_parameters(workbench: Workbench, group: str) -> None:
    definition = loop(workbench, group)
    pipeline = create(workbench, definition)
    arn = start(workbench, pipeline)
    workbench.sagemaker.update_pipeline(PipelineName=pipeline, PipelineDefinition=json.dumps({"Steps": []}))
    kept = workbench.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert json.loads(kept["PipelineDefinition"]) == definition
    found = workbench.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert {"Name": "Passed", "Value": "true"} in found["PipelineParameters"]
    workbench.executed(arn)


def test_missing_parameter_is_refused(workbench: Workbench, group: str) -> None:
    pipeline = create(workbench, loop(workbench, group))
    with pytest.raises(ClientError, match="RunUri has no default"):
        workbench.sagemaker.start_pipeline_execution(PipelineName=pipeline)


def test_deleted_pipeline_does_not_exist(workbench: Workbench, group: str) -> None:
    pipeline = create(workbench, loop(workbench, group))
    workbench.sagemaker.delete_pipeline(PipelineName=pipeline, ClientRequestToken=uuid4().hex)
    with pytest.raises(workbench.sagemaker.exceptions.ResourceNotFound, match="does not exist"):
        workbench.sagemaker.describe_pipeline(PipelineName=pipeline)


def _unzipped(data: bytes) -> bytes:
    return gzip.decompress(data)


def reusable(workbench: Workbench, **changes: Any) -> dict[str, Any]:
    """prepare → train, both of which may come from the cache, and whose outputs lie in their run."""
    definition = loop(workbench, "unused")
    cached = {"Enabled": True, "ExpireAfter": "P30D", **changes}
    steps = [{**step, "CacheConfig": cached} for step in definition["Steps"][:2]]
    return {**definition, "Steps": steps}


def run_twice(workbench: Workbench, definition: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The first execution's ARN, and the steps of both."""
    pipeline = create(workbench, definition)
    arns = []
    for _ in range(2):
        arns.append(start(workbench, pipeline))
        assert workbench.executed(arns[-1])["PipelineExecutionStatus"] == "Succeeded"
    return arns[0], [workbench.steps(arn) for arn in arns]


def test_a_step_with_the_same_arguments_comes_from_the_cache(workbench: Workbench) -> None:
    first, (steps, again) = run_twice(workbench, reusable(workbench))
    for name in ("prepare", "train"):
        assert "CacheHitResult" not in steps[name]
        assert again[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first}
        assert again[name]["Metadata"] == steps[name]["Metadata"]


def test_another_argument_or_time_gone_by_runs_the_step_again(workbench: Workbench) -> None:
    _, (_, expired) = run_twice(workbench, reusable(workbench, ExpireAfter="T0M"))
    assert not any("CacheHitResult" in step for step in expired.values())

    changed = reusable(workbench)
    changed["Steps"][0]["Arguments"]["Environment"] = {"RUN": RUN}
    _, (_, again) = run_twice(workbench, changed)
    assert not any("CacheHitResult" in step for step in again.values()), "what came before is another, too"


def test_a_failed_step_is_never_reused(workbench: Workbench) -> None:
    definition = reusable(workbench)
    definition["Steps"][0]["Arguments"]["AppSpecification"]["ContainerArguments"] = ["broken"]
    pipeline = create(workbench, definition)
    for _ in range(2):
        arn = start(workbench, pipeline)
        assert workbench.executed(arn)["PipelineExecutionStatus"] == "Failed"
        assert "CacheHitResult" not in workbench.steps(arn)["prepare"]


@pytest.mark.parametrize("expiry", ["", "a while", "P", "T"])
def test_a_cache_without_a_duration_is_refused(workbench: Workbench, expiry: str) -> None:
    with pytest.raises(ClientError, match="is not an ISO 8601 duration"):
        create(workbench, reusable(workbench, ExpireAfter=expiry))
