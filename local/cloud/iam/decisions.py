"""Every refusal, and every statement that allowed something, as JSON lines in the cloud's folder.

`denied.jsonl` has a line for each refusal. `allowed.jsonl` has a line for each statement of a policy, with
the action and the statement's resource patterns of the first such call: `sole` where no other statement
allowed it, so that it would have been refused without. It grows with the policies, not with the calls.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, ParsedStatement
from ministack.services import iam

from local.cloud.iam.documents import for_service, parsed
from local.cloud.iam.statements import Document, Statement, digest_of, statements_of

DENIED, ALLOWED = "denied.jsonl", "allowed.jsonl"
TRUST, RESOURCE = "trust policy", "resource policy"
"""Names of the policies that are no role's own: who may assume it, and that of a key, queue or bucket."""
Matching = tuple[str, str, tuple[str, ...]]
"""A policy's name, the digest of a statement of it, and those of its resource patterns that match."""
logger = logging.getLogger(__name__)


class DecisionLog:
    """Appends decisions to the two files. Any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known: set[tuple[Any, ...]] = set()

    def refused(self, principal: str, action: str, resource: str, message: str) -> None:
        """Record a refusal, and put AWS's message into the cloud's log."""
        logger.warning("AccessDenied: %s", message)
        entry = {"principal": principal, "action": action, "resource": resource, "message": message}
        self._append(DENIED, entry)

    def allowed(self, context: EvalContext) -> None:
        """Record which statements of its role's policies, and of the resource's own, allow a call."""
        if context.principal_type == "AssumedRole":
            self._allowed_role(context)
        service = context.action.partition(":")[0]
        if found := iam_evaluator._resource_policy(service, context.resource_arn):
            self.allowed_resource(context, found[0] or "{}")

    def allowed_resource(self, context: EvalContext, document: Document, service: str | None = None) -> None:
        """Record which statements of a resource's own policy allow a call, of `service` where given."""
        evaluate = iam_evaluator.evaluate_resource_policy
        matching = [
            (RESOURCE, digest_of(statement), ())
            for statement in statements_of(document)
            if evaluate({"Statement": [statement]}, context, service=service).decision == "Allow"
        ]
        self._record(context, context.resource_arn, matching)

    def allowed_trust(
        self, context: EvalContext, role_arn: str, service: str, statements: Sequence[Statement]
    ) -> None:
        """Record which statements of a trust policy let a service assume the role."""
        evaluate = iam_evaluator.evaluate_trust_policy
        matching = [
            (TRUST, digest_of(statement), ())
            for statement in statements
            if evaluate({"Statement": [for_service(statement, service)]}, service, context)
        ]
        self._record(context, role_arn, matching)

    def _allowed_role(self, context: EvalContext) -> None:
        name = iam_evaluator._role_name_from_assumed_arn(context.principal_arn)
        role = iam._roles.get_scoped(context.principal_account, None, name)
        if role is None:
            return
        matching = [
            (policy, digest, _patterns(statement, context.resource_arn))
            for policy, document in _policies(role)
            for digest, statement in parsed(document)
            if iam_evaluator._first_match(context, [statement], "Allow") is not None
        ]
        self._record(context, role["Arn"], matching)

    def _record(self, context: EvalContext, owner: str, matching: Sequence[Matching]) -> None:
        sole = len(matching) == 1
        for policy, digest, patterns in matching:
            entry = {
                "owner": owner,
                "policy": policy,
                "statement": digest,
                "action": context.action,
                "patterns": patterns,
                "sole": sole,
            }
            with self._lock:
                is_known = (key := tuple(entry.values())) in self._known
                self._known.add(key)
            if not is_known:
                first = {"resource": context.resource_arn, "principal": context.principal_arn}
                self._append(ALLOWED, {**entry, **first})

    def _append(self, name: str, entry: Mapping[str, Any]) -> None:
        time = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        with self._lock, (self._folder / name).open("a") as file:
            file.write(json.dumps({"time": time, **entry}) + "\n")


def _policies(role: Mapping[str, Any]) -> Iterator[tuple[str, Document]]:
    yield from (role.get("InlinePolicies") or {}).items()
    for arn in role.get("AttachedPolicies", []):
        document = iam_evaluator._resolve_managed_policy_document(arn, role["Arn"].split(":")[4])
        if document:
            yield arn, document


def _patterns(statement: ParsedStatement, resource: str) -> tuple[str, ...]:
    return tuple(p for p in statement.resources if iam_evaluator.fnmatch_iam_cs(resource, p))
