"""The training pipeline: validate, prepare, tune, train, evaluate, and register what passes the gates.

Nothing here calls AWS, and the same arguments give the same document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.failures import STARTED_BY
from contract.gates import METRICS
from contract.schema import Problem, Training
from contract.search import PREFIX
from infra.kit.job_size import Size
from infra.training.pipeline import sdk
from infra.training.pipeline.jobs import Job, best_trial, trials, written
from infra.training.pipeline.registration import register
from infra.training.pipeline.tuning import configuration, metric_definitions, warm_start

JOBS = ("validate", "prepare", "train", "evaluate")
"""The jobs of the pipeline, which are the commands of the image. Each has a role of its own."""

TUNE = "tune"
"""The search for parameters, where there is one: a tuning job, which has a role of its own, too."""
TUNING_JOBS = f"*-{TUNE}-*"
"""What its jobs' names are like. Of a name of 32 characters SageMaker needs 12 for the execution and 10 for
chance: nothing in it says `pipelines`."""

PARAMETERS = ("DatasetVersion", "DatasetUri", "ContractUri", "GatesUri", "ChampionUri", "RunUri", STARTED_BY)
"""What start_training says of a run. Only what is written goes under `RunUri`: an argument that names it
would be another in each run, and nothing would be found in the cache."""


@sdk.offline()
def author(
    *,
    name: str,
    size: Size,
    approval: str,
    code_digest: str,
    problem: Problem,
    training: Training,
) -> dict[str, Any]:
    """The pipeline definition, with `PLACEHOLDERS`.

    `approval` is the status a package is registered with; `code_digest` is what each job
    compares its own code with. `training` says whether parameters are searched, and how.
    """
    parameters = [sdk.ParameterString(name=parameter) for parameter in PARAMETERS]
    version, dataset, contract, gates, champion, run, _ = parameters
    job = Job(
        run=run,
        size=size,
        version=version,
        code_digest=code_digest,
        environment={"MILLRACE_DATASET_VERSION": version, "MILLRACE_CODE_DIGEST": code_digest},
    )
    validate = job.processing(
        "validate",
        inputs={"dataset": dataset, "contract": contract, "champion": champion},
        outputs=["report"],
        kept_if_failed=True,
    )
    prepare = job.processing(
        "prepare",
        inputs={"dataset": dataset, "contract": contract},
        outputs=["train", "holdout"],
        depends_on=["validate"],
    )
    holdout = written(prepare, "holdout")
    channels = {"train": written(prepare, "train"), "contract": contract}
    tune = _tune(job, channels, problem, training) if training.search else None
    tuned = {"tuned": best_trial(tune)} if tune else {}
    train = job.training(
        "train",
        channels={**channels, "holdout": holdout, **tuned},
        metrics=metric_definitions("holdout:", METRICS[problem]),
    )
    model = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluation = sdk.PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
    evaluate = job.processing(
        "evaluate",
        inputs={
            "model": model,
            "holdout": holdout,
            "contract": contract,
            "gates": gates,
            "champion": champion,
            "validation": written(validate, "report"),
            **({"trials": trials(tune)} if tune else {}),
        },
        outputs=["evaluation"],
        property_files=[evaluation],
    )

    def found(path: str) -> Any:
        return sdk.JsonGet(step_name="evaluate", property_file=evaluation, json_path=path)

    registered = register(
        "register",
        model=model,
        approval=approval,
        evaluation=written(evaluate, "evaluation"),
        validation=written(validate, "report"),
        gates=gates,
        origin={
            "dataset_version": version,
            "code_digest": code_digest,
            "contract_uri": contract,
            "gates_uri": gates,
            "run_uri": run,
        },
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
        parameters=parameters,
        steps=[validate, prepare, *([tune] if tune else []), train, evaluate, gate],
    )


def _tune(job: Job, channels: Mapping[str, Any], problem: Problem, training: Training) -> Any:
    """Trials see what is trained on, and nothing that is held out."""
    return job.tuning(
        TUNE,
        channels=channels,
        metrics=metric_definitions(PREFIX, METRICS[problem]),
        configuration=configuration(training.search, training.seed),
        warm_start=warm_start(training.search),
    )
