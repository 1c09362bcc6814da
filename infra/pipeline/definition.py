"""The training pipeline: validate, prepare, train, evaluate, and register what passes the gates.

The SDK wants plain strings where a deployment has CloudFormation tokens, so the definition is
authored with placeholders and `render` puts the deployment's values in their place. Nothing
here calls AWS, and the same arguments give the same document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from contract import serving
from infra.pipeline import sdk

JOBS = ("validate", "prepare", "train", "evaluate")
"""The jobs of the pipeline, which are the commands of the image. Each has a role of its own."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """What each job runs on."""

    instance_type: str
    volume_gib: int
    max_runtime_minutes: int


@dataclass(frozen=True, kw_only=True)
class Values:
    """What only the deployment knows: ARNs, names and the image. May be CDK tokens."""

    image_uri: str
    key_arn: str
    package_group: str
    validate_role_arn: str
    prepare_role_arn: str
    train_role_arn: str
    evaluate_role_arn: str


PLACEHOLDERS = Values(**{field.name: f"placeholder:{field.name}" for field in fields(Values)})


def render(definition: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """A definition with the deployment's values in the place of the placeholders."""
    actual = {getattr(PLACEHOLDERS, f.name): getattr(values, f.name) for f in fields(Values)}

    def put(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: put(value) for key, value in node.items()}
        if isinstance(node, list):
            return [put(item) for item in node]
        return actual.get(node, node) if isinstance(node, str) else node

    return {key: put(value) for key, value in definition.items()}


@sdk.offline()
def author(*, name: str, size: Size, approval: str, code_digest: str) -> dict[str, Any]:
    """The pipeline definition, with `PLACEHOLDERS`.

    `approval` is the status a package is registered with; `code_digest` is what each job
    compares its own code with.
    """
    version, dataset, run = (
        sdk.ParameterString(name=parameter) for parameter in ("DatasetVersion", "DatasetUri", "RunUri")
    )
    job = _Job(
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

    register = _register(
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
        if_steps=[register],
        else_steps=[reject],
    )
    return sdk.definition(
        name=name,
        parameters=[version, dataset, run],
        steps=[validate, prepare, train, evaluate, gate],
    )


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What all jobs have in common: one image, one key, one instance, no network."""

    run: Any
    size: Size
    environment: Mapping[str, Any]

    def place(self, *parts: str) -> Any:
        """Where something of this run lies in the artifacts bucket."""
        return sdk.Join(on="/", values=[self.run, *parts])

    def processing(
        self,
        name: str,
        *,
        inputs: Mapping[str, Any],
        outputs: list[str],
        property_files: list[Any] | None = None,
        depends_on: list[str] | None = None,
    ) -> Any:
        """A processing job that gives the image its own name as the command."""
        arguments = {
            "AppSpecification": {"ImageUri": PLACEHOLDERS.image_uri, "ContainerArguments": [name]},
            "RoleArn": _role(name),
            "Environment": dict(self.environment),
            "ProcessingInputs": [_input(name, uri) for name, uri in inputs.items()],
            "ProcessingOutputConfig": {
                "Outputs": [_output(output, self.place(name, output)) for output in outputs],
                "KmsKeyId": PLACEHOLDERS.key_arn,
            },
            "ProcessingResources": {"ClusterConfig": self._instance()},
            "NetworkConfig": {"EnableNetworkIsolation": True, "EnableInterContainerTrafficEncryption": True},
            "StoppingCondition": self._limit(),
        }
        return sdk.ApiStep(
            name,
            "Processing",
            arguments,
            property_files=property_files or [],
            depends_on=depends_on or [],
        )

    def training(self, name: str, *, channels: Mapping[str, Any]) -> Any:
        """A training job; SageMaker itself gives the image the command `train`."""
        arguments = {
            "AlgorithmSpecification": {"TrainingImage": PLACEHOLDERS.image_uri, "TrainingInputMode": "File"},
            "RoleArn": _role(name),
            "Environment": dict(self.environment),
            "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
            "OutputDataConfig": {"S3OutputPath": self.place(name), "KmsKeyId": PLACEHOLDERS.key_arn},
            "ResourceConfig": self._instance(),
            "EnableNetworkIsolation": True,
            "EnableInterContainerTrafficEncryption": True,
            "StoppingCondition": self._limit(),
        }
        return sdk.ApiStep(name, "Training", arguments)

    def _instance(self) -> dict[str, Any]:
        return {
            "InstanceType": self.size.instance_type,
            "InstanceCount": 1,
            "VolumeSizeInGB": self.size.volume_gib,
            "VolumeKmsKeyId": PLACEHOLDERS.key_arn,
        }

    def _limit(self) -> dict[str, int]:
        return {"MaxRuntimeInSeconds": self.size.max_runtime_minutes * 60}


def _register(name: str, *, model: Any, approval: str, evaluation: Any, origin: Mapping[str, Any]) -> Any:
    """A model package with its evaluation and where it came from."""
    metrics = {"ContentType": "application/json", "S3Uri": evaluation}
    arguments = {
        "ModelPackageGroupName": PLACEHOLDERS.package_group,
        "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [{"Image": PLACEHOLDERS.image_uri, "ModelDataUrl": model}],
            "SupportedContentTypes": list(serving.CONTENT_TYPES),
            "SupportedResponseMIMETypes": [serving.JSON_LINES],
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": metrics}},
        "CustomerMetadataProperties": dict(origin),
    }
    return sdk.ApiStep(name, "RegisterModel", arguments)


def _role(job: str) -> str:
    return str(getattr(PLACEHOLDERS, f"{job}_role_arn"))


def _input(name: str, uri: Any) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }


def _output(name: str, uri: Any) -> dict[str, Any]:
    return {
        "OutputName": name,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/output/{name}",
            "S3UploadMode": "EndOfJob",
        },
    }


def _channel(name: str, uri: Any) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }
