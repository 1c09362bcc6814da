"""The tables of docs/local-cloud.md about AWS, made of docs/aws-behaviours.toml: `python -m tests.local.behaviours`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs" / "aws-behaviours.toml"
PAGE = ROOT / "docs" / "local-cloud.md"
AWS = "https://docs.aws.amazon.com/"
BEGIN, END = "<!-- made of aws-behaviours.toml: begin -->", "<!-- made of aws-behaviours.toml: end -->"


def read() -> dict[str, list[dict[str, str]]]:
    """The behaviours and the unknown, as they are written down."""
    document: dict[str, list[dict[str, str]]] = tomllib.loads(SOURCE.read_text())
    return document


def tables(document: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """Both tables in Markdown."""
    behaviours, unknown = document["behaviour"], document["unknown"]
    return "\n".join(
        [
            f"The product relies on {len(behaviours)} behaviours that AWS documents:",
            "",
            *_table(("service", "AWS", "held by"), map(_behaviour, behaviours)),
            "",
            f"Only an account can answer these {len(unknown)} questions:",
            "",
            *_table(("question", "why it is open", "until then"), map(_unknown, unknown)),
        ]
    )


def _table(head: Sequence[str], rows: Any) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _behaviour(entry: Mapping[str, str]) -> tuple[str, str, str]:
    file, _, name = entry["test"].partition("::")
    where = f"[{file.rpartition('/')[2]}](../tests/{file}) `{name.rpartition('::')[2]}`"
    return entry["service"], f"{entry['says']} [page]({AWS}{entry['page']})", where


def _unknown(entry: Mapping[str, str]) -> tuple[str, str, str]:
    return entry["question"], entry["why"], entry["taken"]


def page(text: str, made: str) -> str:
    """The page with the tables in their place."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(), tables(read())))
