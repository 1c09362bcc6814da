"""The data of the model that is live, as its artifact describes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from container.errors import PlatformError
from contract import artifact
from monitoring.baseline import Baseline
from training.data.champion import read_champion


@dataclass(frozen=True, kw_only=True)
class Live:
    """`baseline` is None where it cannot be compared with; `not_comparable` says why."""

    model_version: str
    baseline: Baseline | None
    not_comparable: str = ""


def read_live(folder: Path) -> Live | None:
    """The live model in the input folder `champion`; None if nothing was live.

    Raises:
        PlatformError: its archive is not there, or not as it was sealed.
    """
    champion = read_champion(folder)
    if champion is None:
        return None
    # With it comes the runtime for models, which a first run can do without.
    from scoring.server.sealed_model import unpack

    with TemporaryDirectory() as unpacked:
        unpack(champion.archive, Path(unpacked))
        text = (Path(unpacked) / artifact.BASELINE).read_bytes()
    try:
        baseline = Baseline.from_json(text)
    except PlatformError as error:
        # A model of older code must not keep its successors from being trained.
        return Live(model_version=champion.model_version, baseline=None, not_comparable=str(error.args[0]))
    return Live(model_version=champion.model_version, baseline=baseline)
