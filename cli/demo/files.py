"""The files that the demo uploads, kept in `.millrace/demo/` for people to look at and use again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cli.kit.samples import tumors, write_csv

ROWS_TO_SCORE = 100
BAD_ROWS = {20: ("mean_radius", "wide"), 70: ("worst_area", "-880.8")}
"""By row: a column, and what is written there that the contract refuses."""
LETTER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nDear colleagues, please find this week's measurements attached.\n"


@dataclass(frozen=True)
class DemoFiles:
    """`history` is the table to train on, `patients` one to score with `BAD_ROWS`, `letter` no table.

    `truth` holds the same patients with their diagnoses, which the model has not seen.
    """

    history: Path
    patients: Path
    truth: Path
    letter: Path
    diagnoses: list[str]


def write_files(folder: Path) -> DemoFiles:
    """Write the demo's files; the same each time."""
    header, rows = tumors()
    history, recent = rows[:-ROWS_TO_SCORE], rows[-ROWS_TO_SCORE:]
    patients = [row[:-1] for row in recent]  # copies: the truth stays as it is
    for number, (column, text) in BAD_ROWS.items():
        patients[number][header.index(column)] = text
    letter = folder / "letter.csv"
    made = DemoFiles(
        history=write_csv(folder / "tumors.csv", header, history),
        patients=write_csv(folder / "patients.csv", header[:-1], patients),
        truth=write_csv(folder / "truth.csv", header, recent),
        letter=letter,
        diagnoses=[row[-1] for row in recent],
    )
    letter.write_bytes(LETTER)
    return made
