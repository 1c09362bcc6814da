"""The jobs of the image: their names, which are its commands, and what each is given and leaves."""

from __future__ import annotations

from enum import StrEnum


class Job(StrEnum):
    """A command of the image, and its module."""

    VALIDATE = "validate"
    PREPARE = "prepare"
    TRAIN = "train"
    EVALUATE = "evaluate"
    SPLIT = "split"
    ASSEMBLE = "assemble"
    MONITOR = "monitor"
    SERVE = "serve"


class Folder(StrEnum):
    """The name of an input, a channel or an output: a folder in the container, and in the run's prefix."""

    DATASET = "dataset"
    CONTRACT = "contract"
    GATES = "gates"
    CHAMPION = "champion"
    TRAIN = "train"
    HOLDOUT = "holdout"
    TUNED = "tuned"
    MODEL = "model"
    TRIALS = "trials"
    REPORT = "report"
    """The output of `validate`."""
    VALIDATION = "validation"
    """The same, as `evaluate` is given it."""
    EVALUATION = "evaluation"


class Variable(StrEnum):
    """An environment variable of a job or of the model server."""

    DATASET_VERSION = "MILLRACE_DATASET_VERSION"
    CODE_DIGEST = "MILLRACE_CODE_DIGEST"
    TRIAL = "MILLRACE_TRIAL"
    """Set for a training job that is a trial of a search."""
    MODEL_VERSION = "MILLRACE_MODEL_VERSION"
    """The version that a server serves, or that a result names."""
    ENVIRONMENT = "MILLRACE_ENVIRONMENT"
    MODEL = "MILLRACE_MODEL"
    RESULTS_BUCKET = "MILLRACE_RESULTS_BUCKET"
    BATCH_FOLDER = "MILLRACE_BATCH_FOLDER"
    BATCH_ROUND = "MILLRACE_BATCH_ROUND"
    BIND_HOST = "MILLRACE_BIND_HOST"
    """The address that a model server listens on, where it is not all of them as in a container."""
    ARTIFACTS_BUCKET = "MILLRACE_ARTIFACTS_BUCKET"
    PACKAGES_ARN = "MILLRACE_PACKAGES_ARN"
    """The ARN of a model's packages but for the version at its end."""
    EVERY_MINUTES = "MILLRACE_EVERY_MINUTES"
    FALSE_ALARMS_PER_YEAR = "MILLRACE_FALSE_ALARMS_PER_YEAR"
    LEAST_CHANGE = "MILLRACE_LEAST_CHANGE"


ROOT = "/opt/ml"
"""SageMaker's folder in a container."""
INPUTS, OUTPUTS = "processing/input", "processing/output"
"""In it, where this project has SageMaker put a processing job's inputs, and take its outputs from."""

EVALUATION_FILE = "evaluation.json"
VALIDATION_FILE = "report.json"
CARD_FILE, CARD_PAGE = "card.json", "card.md"
REPORT_PAGE = "report.html"
"""The page for people, both of `validate` and of `evaluate`."""
