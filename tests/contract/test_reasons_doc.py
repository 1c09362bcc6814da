"""docs/reasons.md lists every code, and says what the code says to do."""

from __future__ import annotations

import re
from pathlib import Path

from contract.reasons import REMEDIES, FileReason, RowReason

PAGE = (Path(__file__).parents[2] / "docs" / "reasons.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The table under a heading: its cells by the code in the first."""
    section = PAGE.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    return {
        match[1]: [cell.strip() for cell in match[2].split("|")]
        for match in re.finditer(r"^\| `(\w+)` \| (.+) \|$", section, re.M)
    }


def test_every_file_code_is_listed_with_its_remedy() -> None:
    listed = rows("A file")
    assert list(listed) == list(FileReason)
    assert {code: cells[-1] for code, cells in listed.items()} == REMEDIES


def test_every_row_code_is_listed() -> None:
    assert list(rows("A row")) == list(RowReason)
