"""The baseline: the training data and the model's predictions as they were, and the test for what differs.

It travels inside the artifact, so that whoever watches the model in use compares with what
this very model was made from. It holds no rows: a feature is counts in bins, so that the
counts of two windows add up to those of both, and every statistic of drift is computed from
counts alone. With each comes how large it gets when nothing has changed (`null_distribution`), and so a
threshold for whatever rate of false alarms one can live with.

    baseline = Baseline.from_json(text)
    window = add(window, baseline.count({"age": ages, "workclass": classes}))
    for name, found in drift(baseline, window, false_alarm_rate=0.01).items(): ...
"""

from monitoring.baseline.bins import Counts, add
from monitoring.baseline.build import columns, describe
from monitoring.baseline.document import Baseline
from monitoring.baseline.drift import Drift, drift, threshold

__all__ = ["Baseline", "Counts", "Drift", "add", "columns", "describe", "drift", "threshold"]
