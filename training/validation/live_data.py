"""The data of the model that is live, as its artifact describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from container.errors import PlatformError
from contract import artifact
from contract.schema import Contract, ContractError, FeatureType
from monitoring.baseline import Baseline
from training.data.champion import read_champion


@dataclass(frozen=True, kw_only=True)
class Live:
    """A live model's data. `types` are those of its features.

    `baseline` is None where it cannot be compared with; `not_comparable` says why.
    """

    model_version: str
    baseline: Baseline | None
    types: Mapping[str, FeatureType] = field(default_factory=dict)
    not_comparable: str = ""

    def of(self, contract: Contract) -> Baseline | None:
        """Return the baseline of those features that a contract reads as the live model does."""
        if self.baseline is None:
            return None
        changed = self.changed(contract)
        features = {name: of for name, of in self.baseline.features.items() if name not in changed}
        return Baseline(features, {})

    def changed(self, contract: Contract) -> dict[str, str]:
        """Return by its name why a contract's feature cannot be compared with the live model's data."""
        return {
            feature.name: f"it was a {before} and is a {feature.type}" if before else "it is new"
            for feature in contract.features
            if (before := self.types.get(feature.name)) != feature.type
        }


def read_live(folder: Path) -> Live | None:
    """Read the live model in the input folder `champion`; None if nothing was live.

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
        contract = (Path(unpacked) / artifact.CONTRACT).read_bytes()
    try:
        types = {feature.name: feature.type for feature in Contract.from_json(contract).features}
        return Live(model_version=champion.model_version, baseline=Baseline.from_json(text), types=types)
    except (PlatformError, ContractError) as error:
        # A model of older code must not keep its successors from being trained.
        return Live(model_version=champion.model_version, baseline=None, not_comparable=str(error.args[0]))
