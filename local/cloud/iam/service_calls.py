"""What AWS's services may do for each other, as AWS asks it: a role's trust policy and permissions, a
resource's policy, a key's policy. ministack calls from service to service with nobody's permissions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.services import iam, kms, lambda_svc, sns, sqs

from local.cloud.iam import encryption
from local.cloud.iam.authorization import denial_message
from local.cloud.iam.decisions import DecisionLog
from local.cloud.iam.documents import for_service
from local.cloud.iam.statements import statements_of
from local.cloud.patching import replace
from local.cloud.seam import AccessDeniedError


def install(calls: ServiceCalls) -> None:
    """Let SNS and S3 deliver only as policies and keys allow. ministack looks at no key."""

    def as_answer(check: Callable[[str, str, str], None]) -> Callable[[str, str, str, str], bool]:
        def allows(arn: str, service: str, source_arn: str, _source_account: str) -> bool:
            try:
                check(arn, service, source_arn)
            except AccessDeniedError:
                return False
            return True

        return allows

    parameters = "service source_arn source_account"
    replace(sqs, "queue_policy_allows", f"queue_arn {parameters}", lambda _: as_answer(calls.send_to_queue))
    replace(sns, "topic_policy_allows", f"topic_arn {parameters}", lambda _: as_answer(calls.publish))


class ServiceCalls:
    """The checks for what a service does, by itself or with a role. Each raises AccessDeniedError."""

    def __init__(self, decisions: DecisionLog, account: str, region: str) -> None:
        self._decisions = decisions
        self._account = account
        self._region = region

    def trust(self, role_arn: str, service: str, source_arn: str = "") -> None:
        """The role exists, and its trust policy lets the service assume it."""
        role = self._role(role_arn)
        context = self._context(service, "sts:AssumeRole", role_arn, source_arn)
        statements = statements_of((role or {}).get("AssumeRolePolicyDocument") or "{}")
        document = {"Statement": [for_service(statement, service) for statement in statements]}
        if role is None or not iam_evaluator.evaluate_trust_policy(document, service, context):
            self._refuse(
                service,
                "sts:AssumeRole",
                role_arn,
                f"{service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            )
        self._decisions.allowed_trust(context, role_arn, service, statements)

    def role(
        self,
        role_arn: str,
        service: str,
        action: str,
        resource: str,
        source_arn: str = "",
        context: Mapping[str, str] | None = None,
    ) -> None:
        """The service may assume the role, and the role may do the action on the resource.

        `context` holds the condition keys of the request, in lower case.
        """
        self.trust(role_arn, service, source_arn)
        request = self._request(role_arn, service, action, resource, context or {})
        decision = self._decide(request)
        if decision != "Allow":
            message = denial_message(action, request.principal_arn, resource, decision == "Deny")
            self._refuse(request.principal_arn, action, resource, message)
        self._decisions.allowed(request)
        if action.startswith("kms:"):
            _must_be_usable(resource, service)

    def permits(
        self, role_arn: str, service: str, action: str, resource: str, context: Mapping[str, str]
    ) -> bool:
        """See `seam.Cloud.permits`."""
        self.trust(role_arn, service)
        request = self._request(role_arn, service, action, resource, context)
        allowed = self._decide(request) == "Allow"
        if allowed:
            self._decisions.allowed(request)
        return allowed

    def _request(
        self, role_arn: str, service: str, action: str, resource: str, context: Mapping[str, str]
    ) -> EvalContext:
        session = f"{role_arn.rsplit('/', 1)[-1]}/{service.removesuffix('.amazonaws.com')}"
        return EvalContext(
            principal_arn=f"arn:aws:sts::{self._account}:assumed-role/{session}",
            principal_type="AssumedRole",
            principal_account=self._account,
            action=action,
            resource_arn=resource,
            region=self._region,
            secure_transport=True,
            service_context=dict(context),
        )

    def _decide(self, request: EvalContext) -> str:
        name = iam_evaluator._role_name_from_assumed_arn(request.principal_arn)
        policies = iam_evaluator._gather_role_policies(name, self._account)
        limits = iam_evaluator._permissions_boundary(iam._roles, name, self._account)
        result = iam_evaluator.evaluate(request, policies, *limits)
        service = request.action.partition(":")[0]
        found = iam_evaluator._resource_policy(service, request.resource_arn)
        if found is not None:
            result = iam_evaluator.combine_resource_policy(
                result, request, *found, required=service == "kms", limits=tuple(limits)
            )
        return str(result.decision)

    def authorize(
        self, role_arn: str, service: str, action: str, resource: str, context: Mapping[str, str]
    ) -> None:
        """See `seam.Cloud.authorize`."""
        self.role(role_arn, service, action, resource, context=context)

    def send_to_queue(self, queue_arn: str, service: str, source_arn: str) -> None:
        """The queue's policy, and its key's, let the service send a message for the source."""
        policy, _ = sqs.queue_policy_for_arn(queue_arn) or ("", "")
        self._by_policy(policy, service, "sqs:SendMessage", queue_arn, source_arn)
        self.key(encryption.key_of_queue(queue_arn), service, source_arn)

    def publish(self, topic_arn: str, service: str, source_arn: str) -> None:
        """The topic's policy, and its key's, let the service publish for the source."""
        policy, _ = sns.topic_policy_for_arn(topic_arn) or ("", "")
        self._by_policy(policy, service, "sns:Publish", topic_arn, source_arn)
        self.key(encryption.key_of_topic(topic_arn), service, source_arn)

    def invoke(self, function_arn: str, service: str, source_arn: str) -> None:
        """The function's policy lets the service invoke it for the source."""
        policy, _ = lambda_svc.function_policy_for_arn(function_arn) or ("", "")
        self._by_policy(policy, service, "lambda:InvokeFunction", function_arn, source_arn)

    def key(
        self, key_arn: str | None, service: str, source_arn: str, context: Mapping[str, str] | None = None
    ) -> None:
        """The key's policy lets the service encrypt with it. No key: nothing to check.

        `context` holds further condition keys of the request, in lower case.
        """
        if key_arn is None:
            return
        policy, _ = kms.key_policy_for_arn(key_arn) or ("", "")
        for action in ("kms:GenerateDataKey", "kms:Decrypt"):
            self._by_policy(policy, service, action, key_arn, source_arn, context)
        _must_be_usable(key_arn, service)

    def _context(self, principal: str, action: str, resource: str, source_arn: str) -> EvalContext:
        return EvalContext(
            principal_arn=principal,
            principal_type="Service",
            principal_account="",
            action=action,
            resource_arn=resource,
            region=self._region,
            secure_transport=True,
            service_context={
                "aws:sourcearn": source_arn,
                "aws:sourceaccount": self._account,
                "aws:sourceowner": self._account,
            },
        )

    def _role(self, role_arn: str) -> Mapping[str, Any] | None:
        role: Mapping[str, Any] | None = iam._roles.get_scoped(
            self._account, None, role_arn.rsplit("/", 1)[-1]
        )
        return role if role is not None and role.get("Arn") == role_arn else None

    def _by_policy(
        self,
        policy: str | dict[str, Any],
        service: str,
        action: str,
        resource: str,
        source_arn: str,
        more: Mapping[str, str] | None = None,
    ) -> None:
        context = self._context("*", action, resource, source_arn)
        context.service_context.update(more or {})
        # A policy may name a service globally or by region; IAM takes one for the other.
        names = (service, service.replace(".amazonaws.com", f".{self._region}.amazonaws.com"))
        decisions = {
            iam_evaluator.evaluate_resource_policy(policy, context, service=name).decision for name in names
        }
        if "Allow" not in decisions or "Deny" in decisions:
            message = (
                f"{service} is not authorized to perform: {action} on resource: {resource} "
                f"because no resource-based policy allows the {action} action"
            )
            self._refuse(service, action, resource, message)
        for name in names:
            self._decisions.allowed_resource(context, policy, name)

    def _refuse(self, principal: str, action: str, resource: str, message: str) -> None:
        self._decisions.refused(principal, action, resource, message)
        raise AccessDeniedError(message)


def _must_be_usable(key_arn: str, service: str) -> None:
    """Raise AccessDeniedError for a key that is disabled or gone: nobody refuses, yet it cannot be used."""
    if problem := encryption.problem_with_key(key_arn, service.partition(".")[0]):
        raise AccessDeniedError(": ".join(problem))


@contextlib.contextmanager
def over_tls() -> Iterator[None]:
    """AWS's services call each other over TLS, whatever the request was that led to it."""
    token = iam_evaluator._request_origin.set(("127.0.0.1", True))
    try:
        yield
    finally:
        iam_evaluator._request_origin.reset(token)
