"""A run of the training pipeline: what it is started with, and what the model that it makes tells of it."""

from __future__ import annotations

from enum import StrEnum


class Parameter(StrEnum):
    """A parameter of the pipeline.

    Only what is written goes under `RUN_URI`: an argument that names it would be another in each run,
    and nothing would be found in the cache.
    """

    DATASET_VERSION = "DatasetVersion"
    DATASET_URI = "DatasetUri"
    CONTRACT_URI = "ContractUri"
    GATES_URI = "GatesUri"
    CHAMPION_URI = "ChampionUri"
    RUN_URI = "RunUri"
    STARTED_BY = "StartedBy"
    """A `contract.failures.StartedBy`; no step reads it."""


class Origin(StrEnum):
    """The data and code a model was made of, and the place of its evidence: metadata of its package.

    The first two stand in its evaluation too.
    """

    DATASET_VERSION = "dataset_version"
    CODE_DIGEST = "code_digest"
    CONTRACT_URI = "contract_uri"
    GATES_URI = "gates_uri"
    RUN_URI = "run_uri"
    CARD = "card"
    REPORT = "report"
