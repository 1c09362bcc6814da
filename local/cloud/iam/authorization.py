"""IAM for calls through the gateway, beyond ministack's own.

Added are the permission on a KMS key that a call implies, the resource's name in every refusal, and the
record of every refusal and of every statement that allows something.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import AuthError, EvalContext, EvalResult

from local.cloud.iam import encryption
from local.cloud.iam.decisions import DecisionLog
from local.cloud.patching import replace

_implied: ContextVar[tuple[str, str] | None] = ContextVar("implied KMS action and key", default=None)
"""What was refused last in this request, when that is not the action the request names."""

_evaluated: ContextVar[list[EvalContext] | None] = ContextVar("what was evaluated of a request", default=None)
"""The caller's policies are evaluated first, a resource's own policy after that."""

_AUTHORIZED_AS = {
    f"sqs:{action}Batch": f"sqs:{action}"
    for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}
"""IAM has no actions for SQS's batches; ministack asks for some."""


def install(decisions: DecisionLog) -> None:
    """Add the key checks, the wording and the record to the gateway."""
    replace(iam_evaluator, "evaluate", "ctx policies limits", _remembering_the_context)
    replace(iam_evaluator, "_fnmatch_compile", "pattern ignore_case", lambda _: _wildcards)
    replace(
        iam_evaluator,
        "enforce",
        "access_key_id iam_action service region resource_arn service_context",
        lambda original: _enforcing(_recording(original, decisions), decisions),
    )
    replace(
        iam_actions,
        "access_denied_response",
        "service action principal_arn request_id error_code message headers resource_arn explicit_deny "
        "resource_policy_arn",
        _naming_the_resource,
    )


@lru_cache(maxsize=4096)
def _wildcards(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    """A pattern of a policy whose `*` and `?` stand for any character, a line break in a key too."""
    spelled = "".join({"*": ".*", "?": "."}.get(character) or re.escape(character) for character in pattern)
    return re.compile(rf"{spelled}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _remembering_the_context(original: Callable[..., EvalResult]) -> Callable[..., EvalResult]:
    def evaluate(ctx: EvalContext, policies: Any, *limits: Any) -> EvalResult:
        if (evaluated := _evaluated.get()) is not None:
            evaluated.append(ctx)
        return original(ctx, policies, *limits)

    return evaluate


def _recording(original: Callable[..., Any], decisions: DecisionLog) -> Callable[..., Any]:
    def enforce(access_key_id: str, iam_action: str, service: str, *further: Any) -> Any:
        evaluated: list[EvalContext] = []
        token = _evaluated.set(evaluated)
        try:
            denied = original(access_key_id, iam_action, service, *further)
        finally:
            _evaluated.reset(token)
        if denied is None and evaluated:
            decisions.allowed(evaluated[0])
        return denied

    return enforce


def _enforcing(original: Callable[..., Any], decisions: DecisionLog) -> Callable[..., Any]:
    def enforce(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> EvalResult | AuthError | None:
        _implied.set(None)
        iam_action = _AUTHORIZED_AS.get(iam_action, iam_action)
        denied = original(access_key_id, iam_action, service, region, resource_arn, service_context)
        if denied is None:
            for action, key_arn in encryption.implied_checks(iam_action, resource_arn):
                via = {"kms:ViaService": f"{service}.{region}.amazonaws.com"}
                denied = original(access_key_id, action, "kms", region, key_arn, via)
                if denied is not None:
                    _implied.set((action, key_arn))
                    iam_action, resource_arn = action, key_arn
                    break
                if problem := encryption.problem_with_key(key_arn, service):
                    return AuthError(*problem)
        if isinstance(denied, EvalResult):
            message = denial_message(
                iam_action, denied.principal_arn, resource_arn, denied.decision == "Deny"
            )
            decisions.refused(denied.principal_arn, iam_action, resource_arn, message)
        return denied

    return enforce


def _naming_the_resource(original: Callable[..., Any]) -> Callable[..., Any]:
    """ministack leaves the resource's ARN out of most services' refusals."""

    def access_denied_response(
        service: str, action: str, principal_arn: str, request_id: str, **options: Any
    ) -> Any:
        if not options.get("error_code"):
            implied = _implied.get()
            if implied is not None:
                action, options["resource_arn"] = implied
            if not options.get("message") and not options.get("resource_policy_arn"):
                options["message"] = denial_message(
                    action,
                    principal_arn,
                    options.get("resource_arn", "*"),
                    options.get("explicit_deny", False),
                )
        return original(service, action, principal_arn, request_id, **options)

    return access_denied_response


def denial_message(action: str, principal_arn: str, resource: str, explicit: bool) -> str:
    """AWS's sentence for a refusal that the caller's own policies decided."""
    quoted = f'"{resource}"' if action.startswith("s3:") else resource
    message: str = iam_actions.identity_denial_message(action, principal_arn, quoted, explicit)
    return message
