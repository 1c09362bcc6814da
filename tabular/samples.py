"""Samples: rows that passed the contract, with their target, in memory and as Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from container.errors import PlatformError
from contract.schema import Contract, Feature

FILE = "samples.parquet"
_BLOCK_ROWS = 50_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows in order: `numbers` float32 [n, k], `categories` str [n, m], `target` [n], `texts` str [n, t].

    The target is float32 of a regression, str otherwise. Without `texts` there are none. `times` [n] are
    hours since 1970, NaN where unknown; only where the newest rows are held out.
    """

    numbers: NDArray[np.float32]
    categories: NDArray[np.object_]
    target: NDArray[Any]
    texts: NDArray[np.object_] = field(default_factory=lambda: np.empty((0, 0), object))
    times: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not self.texts.shape[1]:
            object.__setattr__(self, "texts", np.empty((len(self.target), 0), object))

    def __len__(self) -> int:
        return len(self.target)

    def where(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the rows for which `chosen` [n] is true."""
        return type(self)(
            self.numbers[chosen],
            self.categories[chosen],
            self.target[chosen],
            self.texts[chosen],
            None if self.times is None else self.times[chosen],
        )

    def classes(self, contract: Contract) -> tuple[str, ...]:
        """Return the target's classes in the order of their codes; none of a regression.

        Sorted, except that a binary problem's positive class comes last, and so is code 1.
        """
        if contract.problem == "regression":
            return ()
        labels = sorted(set(self.target.tolist()))
        return tuple(sorted(labels, key=lambda label: label == contract.target.positive))

    def coded_target(self, classes: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the target [n] as numbers: a regression's values, or the code of each row's class."""
        if not classes:
            return self.target.astype(np.float64)
        codes = {label: code for code, label in enumerate(classes)}
        return np.array([codes[label] for label in self.target.tolist()], np.float64)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Return all rows of one or more parts, in order."""
        listed = list(parts)
        times = [part.times for part in listed if part.times is not None]
        return cls(
            np.concatenate([part.numbers for part in listed]),
            np.concatenate([part.categories for part in listed]),
            np.concatenate([part.target for part in listed]),
            np.concatenate([part.texts for part in listed]),
            np.concatenate(times) if times else None,
        )

    def write(self, folder: Path, contract: Contract) -> None:
        """Write `FILE`: a column a feature, and the target's, under the contract's names."""
        columns: dict[str, Any] = {}
        for i, feature in enumerate(contract.numeric):
            columns[feature.name] = pa.array(self.numbers[:, i], from_pandas=False)
        for i, feature in enumerate(contract.categorical):
            columns[feature.name] = pa.array(self.categories[:, i], pa.string()).dictionary_encode()
        for i, feature in enumerate(contract.textual):
            columns[feature.name] = pa.array(self.texts[:, i], pa.string())
        target_type = pa.float32() if contract.problem == "regression" else pa.string()
        columns[contract.target.name] = pa.array(self.target, target_type)
        if contract.newest_held_out:
            columns[contract.newest_held_out] = pa.array(self.times, from_pandas=False)
        pq.write_table(pa.table(columns), folder / FILE)

    @classmethod
    def read(cls, folder: Path, contract: Contract) -> Self:
        """Read what `write` wrote.

        Raises:
            PlatformError: it is not there, or was written for another contract.
        """
        try:
            table = pq.read_table(folder / FILE)
            numbers = np.empty((table.num_rows, len(contract.numeric)), np.float32)
            for i, feature in enumerate(contract.numeric):
                numbers[:, i] = table[feature.name].to_numpy()
            categories, texts = (
                _strings(table, features) for features in (contract.categorical, contract.textual)
            )
            time = contract.newest_held_out
            times = table[time].to_numpy() if time else None
            return cls(numbers, categories, table[contract.target.name].to_numpy(), texts, times)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise PlatformError(f"no samples of this contract in {folder}: {error}") from error


def _strings(table: pa.Table, features: Sequence[Feature]) -> NDArray[np.object_]:
    columns = np.empty((table.num_rows, len(features)), object)
    for i, feature in enumerate(features):
        column = table[feature.name]
        if pa.types.is_dictionary(column.type):
            # Each value once, however many rows have it.
            encoded = column.unify_dictionaries().combine_chunks()
            values = encoded.dictionary.to_numpy(zero_copy_only=False)
            columns[:, i] = values[encoded.indices.to_numpy()]
        else:
            columns[:, i] = column.to_numpy()
    return columns


def marks(samples: Samples) -> NDArray[np.uint64]:
    """Return the digests [n] of all rows."""
    return np.fromiter(digests(samples), np.uint64, len(samples))


def digests(rows: Samples) -> Iterator[int]:
    """Yield a 64-bit digest of each row's features: equal for rows that are the same to the model."""
    for first in range(0, len(rows.numbers), _BLOCK_ROWS):
        block = slice(first, first + _BLOCK_ROWS)
        # Adding zero makes -0.0 and 0.0, which are equal, equal in their bytes too.
        numbers = np.ascontiguousarray(rows.numbers[block] + np.float32(0))
        for row, categories, texts in zip(numbers, rows.categories[block], rows.texts[block], strict=True):
            digest = blake2b(row.tobytes(), digest_size=8)
            digest.update("\x1f".join((*categories, *texts)).encode("utf-8", "surrogatepass"))
            yield int.from_bytes(digest.digest(), "big")
