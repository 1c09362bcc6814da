"""Policy documents: their statements, and what identifies one of them. For those outside of a cloud, too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

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


def as_list(value: Any) -> list[str]:
    """The values of a statement's member, of which one may stand by itself."""
    return [value] if isinstance(value, str) else list(value or [])
