"""Columns made of the contract's: parts of dates, words of texts, and what a model's own code adds.

They are nodes of the model's graph. In training that very part of the graph makes the columns
that the estimator is fitted on, so that training and serving cannot differ in them.
"""

from training.features.estimator_input import Columns

__all__ = ["Columns"]
