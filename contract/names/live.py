"""The live version: the document that a release records, and the copy that a run is compared with."""

from __future__ import annotations

from enum import StrEnum


class Live(StrEnum):
    """A member of the document in the parameter `contract.layout.live_parameter`.

    `verify_package` says most of them of a release; the champion that is pinned for a run has the first two.
    """

    MODEL_VERSION = "model_version"
    MODEL_PACKAGE_ARN = "model_package_arn"
    MODEL = "model"
    MODEL_NAME = "model_name"
    ENDPOINT = "endpoint"
    ENDPOINT_CONFIG = "endpoint_config"
    APPROVED_AT = "approved_at"
    RELEASED_AT = "released_at"


class Approved(StrEnum):
    """More members of a release's state: `verify_package` is given the first, and returns the rest."""

    EXECUTION = "execution"
    APPROVAL = "approval"
    """The beginning of the names of this approval's models and configurations."""
    ENDPOINT_CONFIG_NAME = "endpoint_config_name"
