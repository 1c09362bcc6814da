"""Metrics of predictions: formulas, intervals, and the metrics of each kind of problem."""
