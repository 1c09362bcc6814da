"""The registration of what a run made, as a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import layout, serving
from infra.training.pipeline import sdk
from infra.training.pipeline.values import PLACEHOLDERS


def register(
    name: str,
    *,
    model: Any,
    approval: str,
    evaluation: Any,
    validation: Any,
    gates: Any,
    origin: Mapping[str, Any],
) -> Any:
    """A model package with its evidence and where it came from.

    `evaluation` and `validation` are the folders that those jobs wrote, `gates` that of the gates. Of the
    evidence only what a metric's source may be is one: the rest are links.
    """
    quality = {
        "Statistics": _json(_in(evaluation, "evaluation.json")),
        "Constraints": _json(sdk.Join(on="", values=[gates, layout.GATES_FILE])),
    }
    arguments = {
        "ModelPackageGroupName": PLACEHOLDERS.package_group,
        "ModelApprovalStatus": approval,
        "InferenceSpecification": {
            "Containers": [{"Image": PLACEHOLDERS.image_uri, "ModelDataUrl": model}],
            "SupportedContentTypes": list(serving.CONTENT_TYPES),
            "SupportedResponseMIMETypes": [serving.JSON_LINES, serving.PARQUET],
        },
        "ModelMetrics": {
            "ModelQuality": quality,
            "ModelDataQuality": {"Statistics": _json(_in(validation, "report.json"))},
        },
        "CustomerMetadataProperties": {
            **origin,
            "execution": sdk.ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "report": _in(evaluation, "report.html"),
            "card": _in(evaluation, "card.json"),
        },
    }
    return sdk.ApiStep(name, "RegisterModel", arguments)


def _in(folder: Any, file: str) -> Any:
    return sdk.Join(on="/", values=[folder, file])


def _json(uri: Any) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": uri}
