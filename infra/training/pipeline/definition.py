"""The training pipeline: validate, prepare, tune, train, evaluate, and register what passes the gates.

Nothing here calls AWS, and the same arguments give the same document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.failures import NOT_REGISTERED
from contract.gates import METRICS
from contract.names.jobs import EVALUATION_FILE, Folder, Job, Variable
from contract.names.runs import Origin, Parameter
from contract.schema import Problem, Training
from contract.search import PREFIX
from infra.kit.job_size import Size
from infra.training.pipeline import sdk
from infra.training.pipeline.jobs import Steps, best_trial, trials, written
from infra.training.pipeline.registration import register
from infra.training.pipeline.step_names import TUNE
from infra.training.pipeline.tuning import configuration, metric_definitions, warm_start


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
    parameters = {parameter: sdk.ParameterString(name=parameter.value) for parameter in Parameter}
    version, run = parameters[Parameter.DATASET_VERSION], parameters[Parameter.RUN_URI]
    dataset, contract = parameters[Parameter.DATASET_URI], parameters[Parameter.CONTRACT_URI]
    gates, champion = parameters[Parameter.GATES_URI], parameters[Parameter.CHAMPION_URI]
    steps = Steps(
        run=run,
        size=size,
        version=version,
        code_digest=code_digest,
        environment={Variable.DATASET_VERSION: version, Variable.CODE_DIGEST: code_digest},
    )
    validate = steps.processing(
        Job.VALIDATE,
        inputs={Folder.DATASET: dataset, Folder.CONTRACT: contract, Folder.CHAMPION: champion},
        outputs=[Folder.REPORT],
        kept_if_failed=True,
    )
    prepare = steps.processing(
        Job.PREPARE,
        inputs={Folder.DATASET: dataset, Folder.CONTRACT: contract},
        outputs=[Folder.TRAIN, Folder.HOLDOUT],
        depends_on=[Job.VALIDATE],
    )
    holdout = written(prepare, Folder.HOLDOUT)
    channels = {Folder.TRAIN: written(prepare, Folder.TRAIN), Folder.CONTRACT: contract}
    tune = _tune(steps, channels, problem, training) if training.search else None
    tuned = {Folder.TUNED: best_trial(tune)} if tune else {}
    train = steps.training(
        Job.TRAIN,
        channels={**channels, Folder.HOLDOUT: holdout, **tuned},
        metrics=metric_definitions("holdout:", METRICS[problem]),
    )
    model = train.properties.ModelArtifacts.S3ModelArtifacts
    evaluation = sdk.PropertyFile(name="Evaluation", output_name=Folder.EVALUATION, path=EVALUATION_FILE)
    evaluate = steps.processing(
        Job.EVALUATE,
        inputs={
            Folder.MODEL: model,
            Folder.HOLDOUT: holdout,
            Folder.CONTRACT: contract,
            Folder.GATES: gates,
            Folder.CHAMPION: champion,
            Folder.VALIDATION: written(validate, Folder.REPORT),
            **({Folder.TRIALS: trials(tune)} if tune else {}),
        },
        outputs=[Folder.EVALUATION],
        property_files=[evaluation],
    )

    passed = sdk.JsonGet(step_name=Job.EVALUATE, property_file=evaluation, json_path="passed")
    registered = register(
        "register",
        model=model,
        approval=approval,
        evaluation=written(evaluate, Folder.EVALUATION),
        validation=written(validate, Folder.REPORT),
        gates=gates,
        origin={
            Origin.DATASET_VERSION: version,
            Origin.CODE_DIGEST: code_digest,
            Origin.CONTRACT_URI: contract,
            Origin.GATES_URI: gates,
            Origin.RUN_URI: run,
        },
    )
    reject = sdk.FailStep(
        name="reject",
        # Not with the evaluation's own words: a property file is documented for conditions only. What reports
        # the failure reads them there.
        error_message=f"{NOT_REGISTERED} its evaluation names the gates that it missed.",
    )
    gate = sdk.ConditionStep(
        name="gate",
        conditions=[sdk.ConditionEquals(left=passed, right=True)],
        if_steps=[registered],
        else_steps=[reject],
    )
    return sdk.definition(
        name=name,
        parameters=list(parameters.values()),
        steps=[validate, prepare, *([tune] if tune else []), train, evaluate, gate],
    )


def _tune(steps: Steps, channels: Mapping[Folder, Any], problem: Problem, training: Training) -> Any:
    """Trials see what is trained on, and nothing that is held out."""
    return steps.tuning(
        TUNE,
        channels=channels,
        metrics=metric_definitions(PREFIX, METRICS[problem]),
        configuration=configuration(training.search, training.seed),
        warm_start=warm_start(training.search),
    )
