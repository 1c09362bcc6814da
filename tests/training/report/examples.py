"""Runs to report on: everything evaluation.json can say, of each kind of problem."""

from __future__ import annotations

import math
from typing import Any

from contract.documents.evaluation import Curves, Evaluation, Fairness, Interval, Slice
from contract.schema import Contract, Feature, Problem, Target
from training.report.facts import Facts, Lineage

FEATURES = (
    Feature(name="age", type="number", minimum=0, maximum=120),
    Feature(name="sex", type="category", values=("Female", "Male"), required=True),
    Feature(name="a_column_with_quite_a_long_name_that_goes_on", type="category"),
    Feature(name="joined", type="datetime"),
)
METRICS = {
    "binary": ("roc_auc", "accuracy", "log_loss"),
    "multiclass": ("accuracy", "f1"),
    "regression": ("rmse", "r2"),
}
CLASSES: dict[str, list[str]] = {
    "binary": ["<=50K", ">50K"],
    "multiclass": ["<b>", "b|c", "c"],
    "regression": [],
}


def facts(problem: Problem = "binary", **changes: Any) -> Facts:
    """A run with everything in it; `changes` are to evaluation.json."""
    contract = Contract(
        model="income",
        problem=problem,
        target=Target(name="salary", positive=">50K" if problem == "binary" else None),
        features=FEATURES,
        description="Does a person earn over 50K?",
        sensitive=("sex",),
    )
    document: dict[str, Any] = {**evaluation(problem), **changes}
    return Facts(
        contract=contract,
        evaluation=document,  # type: ignore[arg-type]
        model={
            "rows": {"train": 26049, "holdout": 6512},
            "libraries": {"numpy": "2.4.0", "scikit-learn": "1.9.1"},
        },
        validation=validation(),
        trials=[
            {
                "name": f"trial-{i}",
                "metric": "roc_auc",
                "value": 0.9 + i / 100 if i else None,
                "parameters": {"learning_rate": 0.1 / (i + 1), "max_depth": i},
                "status": "Completed" if i else "Failed",
                "chosen": i == 3,
            }
            for i in range(4)
        ],
        lineage=Lineage(
            run_uri="s3://artifacts/runs/0123456789abcdef",
            model_uri="s3://artifacts/runs/0123456789abcdef/train/job/output/model.tar.gz",
            validation_uri="s3://artifacts/runs/fedcba9876543210/validate/report",
            image="123456789012.dkr.ecr.eu-west-1.amazonaws.com/millrace@sha256:" + "a" * 64,
            job="pipelines-abcdef-evaluate-123",
            execution="abcdef",
        ),
    )


def validation() -> dict[str, Any]:
    return {
        "passed": True,
        "rows": 32561,
        "sound_rows": 32561,
        "duplicate_rows": 24,
        "files": {"adult.csv": 32561},
        "missing": {"age": 0, "sex": 0, FEATURES[2].name: 1836, "joined": 10},
        "classes": {"<=50K": 24720, ">50K": 7841},
        "problems": [
            {"check": "duplicates", "level": "warn", "sentence": "24 rows (0.1%) say the same as another."}
        ],
    }


def interval(value: float | None) -> Interval:
    if value is None:
        return {"value": None, "low": None, "high": None}
    return {"value": value, "low": value - 0.01, "high": value + 0.01}


def evaluation(problem: Problem) -> Evaluation:
    names = METRICS[problem]
    return {
        "problem": problem,
        "search": None,
        "rows": 6512,
        "classes": CLASSES[problem],
        "metrics": {name: interval(0.9 - 0.1 * i) for i, name in enumerate(names)},
        "threshold": {
            "value": 0.42,
            "rule": "max f1",
            "why": "F1 is greatest there on rows of the training set.",
        }
        if problem == "binary"
        else None,
        "curves": curves(problem),
        "slices": {
            "metric": names[0],
            "higher_is_better": True,
            "minimum_rows": 30,
            "sampled_rows": 6512,
            "too_small": 7,
            "worst_first": [_slice(i) for i in range(20)],
        },
        "fairness": {"sex": fairness()},
        "importance": {
            "metric": names[0],
            "permutation_rows": 2000,
            "repeats": 5,
            "shap_rows": 500,
            "shap_background_rows": 100,
            "features": [
                {
                    "feature": feature.name,
                    "permutation_mean": 0.1 / (i + 1),
                    "permutation_std": 0.01,
                    "shap_mean_abs": 0.3 / (i + 1),
                }
                for i, feature in enumerate(FEATURES)
            ],
        },
        "robustness": [
            {
                "change": "noise_0.1",
                "says": "numbers moved by a tenth of their standard deviation",
                "metric": names[0],
                "value": 0.88,
                "difference": -0.02,
            }
        ],
        "serving": {
            "artifact_bytes": 512_000,
            "latency_p50_ms": 0.21,
            "latency_p99_ms": 0.5,
            "latency_100_rows_p50_ms": 0.9,
            "latency_100_rows_p99_ms": 1.4,
            "memory_mib": 98.0,
        },
        "parity": {"largest_difference": 2e-7, "tolerance": 1e-5},
        "champion": {
            "model_version": "millrace-local-income/3",
            "not_comparable": "",
            "may_know_rows": False,
            "rows": 500,
            "metrics": {
                names[0]: {
                    "champion": 0.89,
                    "challenger": 0.9,
                    "difference": 0.01,
                    "low": 0.001,
                    "high": 0.02,
                }
            },
        },
        "gates": [
            _gate(names[0], ">= 0.88", 0.9, passed=True),
            _gate("fairness.sex.demographic_parity_difference", "<= 0.1", 0.2, passed=False),
        ],
        "passed": False,
        "missed": "fairness.sex.demographic_parity_difference is 0.2 and must be <= 0.1",
        "artifact": {"model.onnx": "b" * 64},
        "golden": "c" * 64,
        "dataset_version": "c" * 64,
        "code_digest": "d" * 64,
    }


def _gate(name: str, condition: str, value: float, *, passed: bool) -> Any:
    says = f"{name} is {value} and must be {condition}"
    return {
        "gate": f"{name} {condition}",
        "name": name,
        "condition": condition,
        "value": value,
        "passed": passed,
        "says": says,
    }


def _slice(i: int) -> Slice:
    value = 0.5 + i / 50
    return {
        "feature": "age",
        "slice": f"[{i * 5}, {i * 5 + 5})",
        "rows": 30 + i,
        "value": value if i else None,
        "low": value - 0.05 if i else None,
        "high": value + 0.05 if i else None,
    }


def fairness() -> Fairness:
    names = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision", "accuracy")
    return {
        "minimum_rows": 30,
        "groups": [
            {
                "group": group,
                "rows": rows,
                "counted": rows > 30,
                "statistics": {name: None if rows == 3 else 0.2 + 0.1 * i for i, name in enumerate(names)},
            }
            for group, rows in (("Female", 2100), ("Male", 4409), ("<i>other</i>", 3))
        ],
        "disparities": {
            "demographic_parity_difference": interval(0.2),
            "equal_opportunity_difference": interval(None),
        },
    }


def curves(problem: Problem) -> Curves:
    grid = [i / 100 for i in range(101)]
    if problem == "regression":
        draws = [math.sin(i * 12.9898) for i in range(200)]
        return {
            "roc": [],
            "pr": [],
            "calibration": None,
            "thresholds": [],
            "confusion": None,
            "residuals": {
                "predicted": [100 + i for i in range(200)],
                "residual": [20 * draw for draw in draws],
                "edges": [-20, -10, 0, 10, 20],
                "counts": [40, 60, 60, 40],
            },
        }
    labels = [">50K"] if problem == "binary" else CLASSES[problem]
    bins = [
        {
            "low": i / 10,
            "high": (i + 1) / 10,
            "rows": 600,
            "predicted": i / 10 + 0.05,
            "observed": (i / 10 + 0.05) ** 1.2,
            "observed_low": max(0, i / 10),
            "observed_high": min(1, i / 10 + 0.1),
        }
        for i in range(10)
    ]
    size = len(CLASSES[problem])
    return {
        "roc": [{"label": label, "x": grid, "y": [x**0.2 for x in grid], "area": 0.9} for label in labels],
        "pr": [
            {"label": label, "x": grid, "y": [1 - x**3 / 2 for x in grid], "area": None} for label in labels
        ],
        "calibration": {"ece": interval(0.02), "definition": "The mean over ten bins.", "bins": bins},  # type: ignore[typeddict-item]
        "thresholds": [
            {"threshold": x, "precision": x, "recall": 1 - x, "f1": 2 * x * (1 - x), "selection_rate": 1 - x}
            for x in grid
        ]
        if problem == "binary"
        else [],
        "confusion": {
            "classes": CLASSES[problem],
            "counts": [[400 if i == j else 20 for j in range(size)] for i in range(size)],
        },
        "residuals": None,
    }
