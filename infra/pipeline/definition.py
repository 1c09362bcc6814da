"""The training pipeline: validate, prepare, train, evaluate, and register what passes the gates.

Nothing here calls AWS, and the same arguments give the same document.
"""

from __future__ import annotations

from typing import Any

from infra.pipeline import sdk
from infra.pipeline.jobs import Job, Size, register

JOBS = ("validate", "prepare", "train", "evaluate")
"""The jobs of the pipeline, which are the commands of the image. Each has a role of its own."""


@sdk.offline()
def author(*, name: str, size: Size, approval: str, code_digest: str) -> dict[str, Any]:
    """The pipeline definition, with `PLACEHOLDERS`.

    `approval` is the status a package is registered with; `code_digest` is what each job
    compares its own code with.
    """
    version, dataset, run = (
        sdk.ParameterString(name=parameter) for parameter in ("DatasetVersion", "DatasetUri", "RunUri")
    )
    job = Job(
        run=run,
        size=size,
        environment={"MILLRACE_DATASET_VERSION": version, "MILLRACE_CODE_DIGEST": code_digest},
    )
    contract = job.place("contract")
    validate = job.processing(
        "validate", inputs={"dataset": dataset, "contract": contract}, outputs=["report"]
    )
    prepare = job.processing(
        "prepare",
        inputs={"dataset": dataset, "contract": contract},
        outputs=["train", "holdout"],
        depends_on=["validate"],
    )
    prepared = prepare.properties.ProcessingOutputConfig.Outputs
    train_uri, holdout_uri = (prepared[name].S3Output.S3Uri for name in ("train", "holdout"))
    train = job.training("train", channels={"train": train_uri, "holdout": holdout_uri, "contract": contract})
    model = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluation = sdk.PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    evaluate = job.processing(
        "evaluate",
        inputs={"model": model, "holdout": holdout_uri, "contract": contract},
        outputs=["evaluation"],
        property_files=[evaluation],
    )

    def found(path: str) -> Any:
        return sdk.JsonGet(step_name="evaluate", property_file=evaluation, json_path=path)

    registered = register(
        "register",
        model=model,
        approval=approval,
        evaluation=job.place("evaluate", "evaluation", "evaluation.json"),
        origin={"dataset_version": version, "code_digest": code_digest, "run_uri": run},
    )
    reject = sdk.FailStep(
        name="reject",
        error_message=sdk.Join(on=" ", values=["The model was not registered:", found("missed")]),
    )
    gate = sdk.ConditionStep(
        name="gate",
        conditions=[sdk.ConditionEquals(left=found("passed"), right=True)],
        if_steps=[registered],
        else_steps=[reject],
    )
    return sdk.definition(
        name=name,
        parameters=[version, dataset, run],
        steps=[validate, prepare, train, evaluate, gate],
    )
