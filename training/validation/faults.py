"""Values that break the contract: each kind of fault of each column once, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from contract.reasons import REMEDIES, RowReason, Unscorable
from tabular.rows import Refusal
from tabular.values import shown
from training.validation.finding import Finding

DO = {
    RowReason.MISSING: "Fill it in, or remove required from {column} in [features]",
    RowReason.NOT_A_NUMBER: "Write {column} as plain numbers, or name this text in its missing",
    RowReason.NOT_FINITE: "Leave {column} empty where there is no value",
    RowReason.BELOW_MINIMUM: "Correct it, or lower the min of {column} in [features]",
    RowReason.ABOVE_MAXIMUM: "Correct it, or raise the max of {column} in [features]",
    RowReason.NOT_IN_SET: "Correct it, or add it to the values of {column} in [features]",
    RowReason.NOT_A_DATETIME: "Write {column} as ISO 8601, such as 2024-05-31T10:00",
    RowReason.NESTED_VALUE: "Flatten {column}, or write it as a string",
    RowReason.WRONG_FIELD_COUNT: "Mend the row, or quote values that hold a delimiter",
}
TARGET = {
    RowReason.NOT_A_NUMBER: "Write {column} as plain numbers, or name this text in missing of [target]",
}
CATEGORY = 'Set type = "category" for {column} in [features]: most of its values are no numbers'
MOSTLY = 0.5


@dataclass
class Faults:
    """Collects the faults of rows, file by file. Keeps one example of each kind, never the values."""

    target: str
    rows: int = 0
    """Rows with a fault."""
    unreadable: list[Finding] = field(default_factory=list)
    _values: dict[tuple[str, str], Finding] = field(default_factory=dict)

    def add(self, file: str, unit: str, faults: Sequence[tuple[int, Refusal]]) -> None:
        """Faults with the place of each."""
        for place, fault in faults:
            key = (fault.code, fault.column)
            if key in self._values:
                self._values[key].count += 1
                continue
            self._values[key] = Finding(
                check="values",
                code=fault.code,
                message=fault.message,
                do=self._do(fault.code, fault.column),
                column=fault.column,
                file=file,
                place=place,
                unit=unit,
                example=shown(fault.text),
            )

    def add_unreadable(self, file: str, reason: Unscorable) -> None:
        """A file that could not be read, or not to its end."""
        self.unreadable.append(
            Finding(
                check="schema",
                code=reason.code,
                message=reason.message.removesuffix("."),
                do=REMEDIES[reason.code].removesuffix("."),
                column=reason.column or "",
                file=file,
                place=reason.line,
            )
        )

    def values(self, rows: int) -> list[Finding]:
        """Each kind of fault once, in the order they were met; `rows` is how many rows there are."""
        found = list(self._values.values())
        for finding in found:
            finding.value = finding.count / max(rows, 1)
            mostly = finding.value > MOSTLY
            if mostly and finding.code == RowReason.NOT_A_NUMBER and finding.column != self.target:
                finding.do = CATEGORY.format(column=finding.column)
        return found

    def _do(self, code: RowReason, column: str) -> str:
        remedies = {**DO, **TARGET} if column == self.target else DO
        return remedies[code].format(column=column)
