"""The batch path's names: what lies under an execution's folder, and what its jobs say at their end.

An execution of the state machine works under `batch/<batch>/<execution>/` in the artifacts bucket:

  split.json            what was split: the upload's format, and the names of all parts
  parts/<name>          requests to the model server, named by their digest: equal ones are asked once
  rounds/<n>            SageMaker's manifest of the parts that the n-th transform is to score
  answers/<name>.out    the model server's answers
  joined/<n>            answers put together, of a result that would have too many parts
"""

from __future__ import annotations

import json
from enum import StrEnum

SPLIT_FILE = "split.json"
UPLOAD_FILE = "upload.json"
"""Beside the executions of a batch: which upload it scores."""
PARTS, ROUNDS, ANSWERS, JOINED = "parts", "rounds", "answers", "joined"

INPUT = "batch"
"""In an execution's input: the batch."""


class Outcome(StrEnum):
    """The result of a job of the batch path."""

    SPLIT = "split"
    ASSEMBLED = "assembled"
    SETTLED = "settled"
    """The upload had its outcome before."""
    GONE = "gone"
    """Its owner deleted the upload."""
    UNSCORABLE = "unscorable"
    INCOMPLETE = "incomplete"
    """Parts have no answer yet."""


NOTHING_LEFT = (Outcome.ASSEMBLED, Outcome.SETTLED, Outcome.GONE, Outcome.UNSCORABLE)
"""After these the execution is at its end."""


class Field(StrEnum):
    """A member of the exit message, by which the state machine decides how to go on."""

    OUTCOME = "outcome"
    CONTENT_TYPE = "content_type"
    """Of the parts, where the upload was split."""
    MISSING = "missing"
    """The number of parts without a response."""


def exit_message(outcome: Outcome, **facts: object) -> str:
    """A job's exit message; `facts` by the names of `Field`."""
    return json.dumps({Field.OUTCOME: outcome, **{Field(name): fact for name, fact in facts.items()}})
