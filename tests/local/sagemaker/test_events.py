"""What EventBridge and CloudWatch learn of executions, jobs and endpoints."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from tests.local.sagemaker.workbench import CLUSTER, IMAGE, Workbench

pytestmark = pytest.mark.local_cloud

NAMESPACE = "AWS/Sagemaker/ModelBuildingPipeline"


def run_broken_pipeline(workbench: Workbench, name: str) -> str:
    arguments = {
        "AppSpecification": {"ImageUri": IMAGE, "ContainerArguments": ["broken"]},
        "ProcessingResources": CLUSTER,
        "RoleArn": workbench.job_role,
    }
    steps = [{"Name": "check", "Type": "Processing", "Arguments": arguments}]
    workbench.sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
        RoleArn=workbench.pipeline_role,
        ClientRequestToken=uuid4().hex,
    )
    arn: str = workbench.sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    assert workbench.executed(arn)["PipelineExecutionStatus"] == "Failed"
    return arn


def test_failed_execution_is_told_and_counted(workbench: Workbench) -> None:
    name = f"events-{uuid4().hex[:8]}"
    queue = workbench.queue_of_events(
        {
            "detail-type": [
                "SageMaker Model Building Pipeline Execution Status Change",
                "SageMaker Model Building Pipeline Execution Step Status Change",
                "SageMaker Processing Job State Change",
            ]
        }
    )
    arn = run_broken_pipeline(workbench, name)
    events = [workbench.next_event(queue) for _ in range(6)]
    execution = [
        e["detail"] for e in events if "pipelineExecutionArn" in e["detail"] and "stepName" not in e["detail"]
    ]
    assert [detail["currentPipelineExecutionStatus"] for detail in execution] == ["Executing", "Failed"]
    assert execution[1]["previousPipelineExecutionStatus"] == "Executing"
    assert execution[1]["pipelineExecutionArn"] == arn
    step = [event["detail"] for event in events if "stepName" in event["detail"]]
    assert [detail["currentStepStatus"] for detail in step] == ["Executing", "Failed"]
    assert step[1]["failureReason"].startswith("AlgorithmError: column age")
    assert step[1]["stepType"] == "Processing"
    job = [event for event in events if "ProcessingJobName" in event["detail"]]
    assert [event["detail"]["ProcessingJobStatus"] for event in job] == ["InProgress", "Failed"]
    assert job[1]["resources"] == [step[1]["metadata"]["processingJob"]["arn"]]

    assert workbench.total(NAMESPACE, "ExecutionStarted", PipelineName=name) == 1
    assert workbench.total(NAMESPACE, "ExecutionFailed", PipelineName=name) == 1
    assert workbench.total(NAMESPACE, "ExecutionSucceeded", PipelineName=name) == 0
    assert workbench.total(NAMESPACE, "ExecutionDuration", PipelineName=name) > 0
