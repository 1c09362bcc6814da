"""The shape of evaluation.json, for those who write it and those who read it.

None stands for a value that is not defined, such as the ROC AUC of rows of one class. Of
intervals, `low` and `high` are the bounds of the 95 % bootstrap interval.
"""

from __future__ import annotations

from typing import Any, TypedDict

GOLDEN = "golden.json"
"""File beside evaluation.json with the golden requests."""


class Interval(TypedDict):
    """A statistic of the holdout, and the bounds between which resamples put it 95 times in 100."""

    value: float | None
    low: float | None
    high: float | None


class Threshold(TypedDict):
    """The probability from which on a row is predicted positive, the rule that chose it, and a sentence."""

    value: float
    rule: str
    why: str


class Curve(TypedDict):
    """At most 200 points. `label` is the class that counts as positive; `area` that under the curve.

    Of `roc`, x is the false positive rate and y the true one; of `pr`, recall and precision.
    """

    label: str
    x: list[float]
    y: list[float]
    area: float | None


class CalibrationBin(TypedDict):
    """Rows whose predicted probability is in [low, high): their mean prediction, and what came true of it."""

    low: float
    high: float
    rows: int
    predicted: float
    observed: float
    observed_low: float
    observed_high: float


class Calibration(TypedDict):
    """The reliability curve. `definition` says in a sentence what `ece` is the mean of."""

    ece: Interval
    definition: str
    bins: list[CalibrationBin]


class ThresholdPoint(TypedDict):
    """The binary metrics that depend on the threshold, at another one."""

    threshold: float
    precision: float
    recall: float
    f1: float
    selection_rate: float


class Confusion(TypedDict):
    """`counts[i][j]` rows are of class i and predicted as class j."""

    classes: list[str]
    counts: list[list[int]]


class Residuals(TypedDict):
    """Some rows' prediction and residual (truth minus prediction), and how all residuals are spread.

    `edges` are one more than `counts`.
    """

    predicted: list[float]
    residual: list[float]
    edges: list[float]
    counts: list[int]


class Curves(TypedDict):
    """Of a regression `residuals` only, and the rest empty; `thresholds` of binary problems only."""

    roc: list[Curve]
    pr: list[Curve]
    calibration: Calibration | None
    thresholds: list[ThresholdPoint]
    confusion: Confusion | None
    residuals: Residuals | None


class Slice(Interval):
    """One metric on the rows in which a feature has one value, or one in a bin.

    `slice` is the category's value, the bin such as "[20, 30)", or "(missing)".
    """

    feature: str
    slice: str
    rows: int


class Slices(TypedDict):
    """Every slice with at least `minimum_rows` rows, worst first. `too_small` others are left out.

    `sampled_rows` of the holdout were looked at.
    """

    metric: str
    higher_is_better: bool
    minimum_rows: int
    sampled_rows: int
    too_small: int
    worst_first: list[Slice]


class Group(TypedDict):
    """The statistics of one sensitive group. `counted` where it is large enough to be compared.

    `statistics` has, of a binary problem, selection_rate, true_positive_rate, false_positive_rate,
    precision and accuracy; of a multiclass problem accuracy; of a regression mean_prediction,
    mean_residual and mae.
    """

    group: str
    rows: int
    counted: bool
    statistics: dict[str, float | None]


class Fairness(TypedDict):
    """One sensitive feature. `disparities` are what a gate `fairness.<feature>.<name>` compares.

    See `contract.gates.DISPARITIES`.
    """

    minimum_rows: int
    groups: list[Group]
    disparities: dict[str, Interval]


class Importance(TypedDict):
    """The importance of one feature; features come with the greatest permutation importance first.

    `permutation_mean` and `permutation_std` are by how much the metric named in `Importances`
    worsens when the feature is shuffled; `shap_mean_abs` is the mean absolute SHAP value, in
    units of the prediction (of a multiclass problem, summed over the classes).
    """

    feature: str
    permutation_mean: float | None
    permutation_std: float | None
    shap_mean_abs: float


class Importances(TypedDict):
    """On `permutation_rows` and `shap_rows` rows of the holdout."""

    metric: str
    permutation_rows: int
    repeats: int
    shap_rows: int
    shap_background_rows: int
    features: list[Importance]


class Robustness(TypedDict):
    """`metric` after a change to the holdout's features; `difference` is to what it was before.

    `change` is what a gate `robustness.<change>` names, and `says` what it means.
    """

    change: str
    says: str
    metric: str
    value: float | None
    difference: float | None


class Serving(TypedDict):
    """The model server's cost, measured in a process of its own: the only part that varies between runs.

    Milliseconds of one request of 1 row and of 100 rows as CSV, HTTP left out; the resident
    memory of the process with the model loaded and used.
    """

    artifact_bytes: int
    latency_p50_ms: float
    latency_p99_ms: float
    latency_100_rows_p50_ms: float
    latency_100_rows_p99_ms: float
    memory_mib: float


class Parity(TypedDict):
    """The largest difference between ONNX and scikit-learn on the holdout, and what was allowed."""

    largest_difference: float
    tolerance: float


class Comparison(TypedDict):
    """One metric of both models on the same rows.

    `difference` is challenger minus champion; `low` and `high` bound it, by a paired bootstrap.
    """

    champion: float | None
    challenger: float | None
    difference: float | None
    low: float | None
    high: float | None


class Champion(TypedDict):
    """The live model on the same rows. `not_comparable` is "" or why the two cannot be compared.

    `rows` is how many they are; `may_know_rows` is whether it may have been trained on some of them.
    """

    model_version: str
    not_comparable: str
    may_know_rows: bool
    rows: int
    metrics: dict[str, Comparison]


class Verdict(TypedDict):
    """A gate: `name` and `condition` as in model.toml, the value it was held against, a sentence."""

    gate: str
    name: str
    condition: str
    value: float | None
    passed: bool
    says: str


class Trial(TypedDict):
    """One trial of a search. `value` is the search's `metric`; `rows` are those it was measured on.

    `chosen` is the trial whose parameters the model was trained with.
    """

    name: str
    status: str
    metric: str
    value: float | None
    chosen: bool
    parameters: dict[str, Any]
    metrics: dict[str, float | None]
    rows: int


class Search(TypedDict):
    """The search for parameters: its trials that left a measurement, in the order they began."""

    objective: str
    lower_is_better: bool
    strategy: str
    max_jobs: int
    trials: list[Trial]


class Golden(TypedDict):
    """The document beside it, `GOLDEN`: one request, and the response to each of its rows."""

    content_type: str
    request: str
    responses: list[dict[str, Any]]


class Evaluation(TypedDict):
    """The whole document. `missed` has a sentence for each missed gate, or is empty.

    `golden` is the SHA-256 of the golden requests' document.
    """

    problem: str
    rows: int
    classes: list[str]
    metrics: dict[str, Interval]
    threshold: Threshold | None
    curves: Curves
    slices: Slices
    fairness: dict[str, Fairness]
    importance: Importances
    robustness: list[Robustness]
    serving: Serving
    parity: Parity
    champion: Champion | None
    search: Search | None
    gates: list[Verdict]
    passed: bool
    missed: str
    artifact: dict[str, str]
    golden: str
    dataset_version: str
    code_digest: str
