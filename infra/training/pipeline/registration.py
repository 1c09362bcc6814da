"""The registration of what a run made, as a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import layout, serving
from contract.names.jobs import CARD_FILE, EVALUATION_FILE, REPORT_PAGE, VALIDATION_FILE
from contract.names.runs import Origin
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
        "Statistics": _json(_in(evaluation, EVALUATION_FILE)),
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
            "ModelDataQuality": {"Statistics": _json(_in(validation, VALIDATION_FILE))},
        },
        # Pipeline variables are documented as its values: `register` of the SDK's model builder.
        "CustomerMetadataProperties": {
            **origin,
            "execution": sdk.ExecutionVariables.PIPELINE_EXECUTION_ARN,
            Origin.REPORT: _in(evaluation, REPORT_PAGE),
            Origin.CARD: _in(evaluation, CARD_FILE),
        },
    }
    return sdk.ApiStep(name, "RegisterModel", arguments)


def _in(folder: Any, file: str) -> Any:
    return sdk.Join(on="/", values=[folder, file])


def _json(uri: Any) -> dict[str, Any]:
    return {"ContentType": "application/json", "S3Uri": uri}
