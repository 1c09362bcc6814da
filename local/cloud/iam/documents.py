"""Statements as ministack's evaluator wants them."""

from __future__ import annotations

import json
from functools import lru_cache

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import ParsedStatement

from local.cloud.iam.statements import Document, Statement, as_list, digest_of, statements_of


def parsed(document: Document) -> tuple[tuple[str, ParsedStatement], ...]:
    """The digest of each statement of a policy, and the statement."""
    return _parsed(document if isinstance(document, str) else json.dumps(document))


@lru_cache(maxsize=512)
def _parsed(text: str) -> tuple[tuple[str, ParsedStatement], ...]:
    return tuple(
        (digest_of(statement), found)
        for statement in statements_of(text)
        for found in iam_evaluator.parse_policy_document({"Statement": [statement]})
    )


def for_service(statement: Statement, service: str) -> Statement:
    """A trust policy's statement, spelled for a matcher that knows no services."""
    principal = statement.get("Principal", {})
    services = as_list(principal.get("Service")) if isinstance(principal, dict) else [service]
    return {**statement, "Principal": {"AWS": service if service in services else []}}
