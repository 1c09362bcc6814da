"""The three verdicts on a candidate."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """`PASS` means not worse than a margin, and not merely no evidence that it is."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
