"""Policy documents: their statements, and what identifies one of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import ParsedStatement

Document = str | Mapping[str, Any]
Statement = dict[str, Any]


def statements_of(document: Document) -> list[Statement]:
    """A policy's statements, in their order."""
    parsed = json.loads(document or "{}") if isinstance(document, str) else document
    statements = parsed.get("Statement", [])
    return [statements] if isinstance(statements, dict) else list(statements)


def digest_of(statement: Statement) -> str:
    """A short digest of a statement's content, the same wherever in a policy it stands."""
    return hashlib.sha256(json.dumps(statement, sort_keys=True).encode()).hexdigest()[:12]


def parsed(document: Document) -> tuple[tuple[str, ParsedStatement], ...]:
    """The digest of each statement, and the statement as the evaluator wants it."""
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
    services = principal.get("Service", []) if isinstance(principal, dict) else [service]
    is_named = service in ([services] if isinstance(services, str) else services)
    return {**statement, "Principal": {"AWS": service if is_named else []}}
