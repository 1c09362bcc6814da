"""Which version scores an upload: one for the whole of it, by a stable hash, with a known probability."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from releasing.predictions import evidence

_BYTES = 8


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A version, and the probability with which it was to be chosen."""

    version: str
    probability: float


def assigned(unit: str, shares: Mapping[str, float], *, salt: str) -> Assignment:
    """Assign a unit (an upload's key, a customer's id) to one of the versions by their shares.

    The same unit goes to the same version as long as the shares are the same; of two versions, units only
    move to the one whose share grows. `salt` names the release or the experiment, so that it is not the same
    units every time that get the candidate.

    Raises:
        ValueError: no version has a share.
    """
    whole = sum(shares.values())
    if whole <= 0:
        raise ValueError("no version has a share of the requests")
    digest = hashlib.sha256(f"{salt}\n{unit}".encode()).digest()
    point = int.from_bytes(digest[:_BYTES]) / 256**_BYTES * whole
    version, passed = "", 0.0
    for name, share in shares.items():
        if share <= 0:
            continue
        version, passed = name, passed + share
        if point < passed:
            break
    return Assignment(version=version, probability=shares[version] / whole)


def sample_ratio_evidence(counts: Mapping[str, int], shares: Mapping[str, float]) -> float:
    """The logarithm of the evidence that units did not fall to the versions by their shares.

    A Dirichlet–multinomial e-value, to be looked at any time (Lindon and Malek, 2022): from log(1/α) on, an
    experiment lost or doubled units of one version, and its comparison is worth nothing.
    """
    whole = sum(shares.values())
    names = list(shares)
    return evidence(
        [counts.get(name, 0) for name in names], [shares[name] / whole for name in names], tolerance=0
    )
