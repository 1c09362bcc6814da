"""Processing and training jobs, as they run on a cloud."""

from __future__ import annotations

import pytest

from tests.local.sagemaker.workbench import BUCKET, Workbench, source, target

pytestmark = pytest.mark.local_cloud

IN, OUT = "/opt/ml/processing/input", "/opt/ml/processing/output"


def test_processing_job_copies_in_runs_and_copies_out(workbench: Workbench) -> None:
    workbench.put("copy/data/a.csv", "a")
    uri = workbench.put("copy/data/deeper/../b.csv", "b").rsplit("/deeper", 1)[0]
    workbench.s3.delete_object(Bucket=BUCKET, Key="copy/data/deeper/../b.csv")
    name = workbench.process(
        "prepare",
        "fast",
        ProcessingInputs=[source(uri, f"{IN}/dataset")],
        ProcessingOutputConfig={"Outputs": [target(f"s3://{BUCKET}/copy/out", f"{OUT}/train", "train")]},
    )
    job = workbench.processed(name)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["CreationTime"] <= job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert workbench.get(f"s3://{BUCKET}/copy/out/a.csv") == b"a"
    assert workbench.lines("/aws/sagemaker/ProcessingJobs", f"{name}/algo-1-") == ["preparing fast"]
