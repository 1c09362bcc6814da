"""Write what people read about a run: a page, and a card for SageMaker and for a repository."""

from __future__ import annotations

from pathlib import Path

from contract.names.jobs import CARD_FILE, CARD_PAGE, REPORT_PAGE
from training.report.card import card, to_json
from training.report.facts import Facts
from training.report.markdown import to_markdown
from training.report.page import render
from training.report.sections import sections


def write(folder: Path, facts: Facts) -> None:
    """Write report.html, card.json (a SageMaker model card's content) and card.md to a folder."""
    contract = facts.contract
    title = f"{contract.model}: {'passes its gates' if facts.evaluation['passed'] else 'misses a gate'}"
    if not facts.evaluation["gates"]:
        title = contract.model
    kind = f"{contract.problem} model of {contract.target.name}, dataset version {facts.dataset[:12]}"
    subtitle = f"{contract.description} ({kind})" if contract.description else kind.capitalize()
    parts = sections(facts)
    footer = "Written by the step evaluate. The same figures are in evaluation.json beside this page."
    page = render("run.html", title=title, subtitle=subtitle, sections=parts, footer=footer)
    (folder / REPORT_PAGE).write_text(page, encoding="utf-8")
    (folder / CARD_FILE).write_text(to_json(card(facts)) + "\n", encoding="utf-8")
    (folder / CARD_PAGE).write_text(to_markdown(title, subtitle, parts), encoding="utf-8")
