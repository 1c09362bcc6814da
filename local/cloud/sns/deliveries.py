"""What SNS cannot deliver goes to the subscription's dead-letter queue, and counts.

ministack drops it. AWS gives a queue up at once where it is gone or refuses, and calls an HTTPS address
again three times in a minute; here the first failure is the last.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import lambda_svc, sns, sqs

from local.cloud.cloudwatch.measurements import Measurements
from local.cloud.iam.service_calls import over_tls
from local.cloud.patching import replace

SERVICE = "sns.amazonaws.com"
_subscription: ContextVar[Mapping[str, Any] | None] = ContextVar("whose delivery is next", default=None)
logger = logging.getLogger(__name__)


def install(measurements: Measurements) -> None:
    """Look at each delivery."""
    deliveries = _Deliveries(measurements)
    # Asked of each subscription just before it is delivered to, on the same thread.
    replace(sns, "_matches_filter_policy", "sub message_attributes message", _remembering_the_subscription)
    replace(
        sns,
        "_deliver_to_sqs",
        "endpoint envelope raw raw_message message_group_id message_dedup_id message_attributes topic_arn",
        deliveries.to_queue,
    )
    replace(sns, "_deliver_to_http", "endpoint payload", deliveries.to_address)
    replace(
        sns,
        "_deliver_to_lambda",
        "endpoint envelope topic_arn sub_arn msg_id raw_message message_attributes",
        deliveries.to_function,
    )


def _remembering_the_subscription(original: Callable[..., bool]) -> Callable[..., bool]:
    def matches_filter_policy(sub: Mapping[str, Any], *arguments: Any) -> bool:
        _subscription.set(sub)
        return original(sub, *arguments)

    return matches_filter_policy


class _Deliveries:
    def __init__(self, measurements: Measurements) -> None:
        self._measurements = measurements

    def to_queue(self, original: Callable[..., None]) -> Callable[..., None]:
        def deliver(endpoint: str, envelope: str, raw: bool, raw_message: str, **options: Any) -> None:
            topic_arn = options["topic_arn"]
            account = topic_arn.split(":")[4]
            exists = sqs._queue_by_arn(endpoint) is not None
            if exists and sqs.queue_policy_allows(endpoint, SERVICE, topic_arn, account):
                original(endpoint, envelope, raw, raw_message, **options)
                self._count(topic_arn, "NumberOfNotificationsDelivered")
            else:
                why = "may not be sent to" if exists else "does not exist"
                self._failed(raw_message if raw else envelope, f"{endpoint} {why}")

        return deliver

    def to_function(self, original: Callable[..., None]) -> Callable[..., None]:
        def deliver(endpoint: str, envelope: str, topic_arn: str, *more: Any) -> None:
            if lambda_svc._get_func_record_for_ref(endpoint)[0]:
                original(endpoint, envelope, topic_arn, *more)
                self._count(topic_arn, "NumberOfNotificationsDelivered")
            else:
                self._failed(envelope, f"{endpoint} does not exist")

        return deliver

    def to_address(self, _original: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, None]]:
        def deliver(endpoint: str, payload: str) -> Coroutine[Any, Any, None]:
            subscription = _subscription.get()  # of the thread that publishes, not of the one that sends
            return self._post(endpoint, payload, subscription)

        return deliver

    async def _post(self, endpoint: str, payload: str, subscription: Mapping[str, Any] | None) -> None:
        _subscription.set(subscription)
        try:
            sns._http_post_sync(endpoint, payload, "Notification")
        except Exception as error:
            self._failed(payload, f"{endpoint}: {error}")
        else:
            if subscription is not None:
                self._count(subscription["topic_arn"], "NumberOfNotificationsDelivered")

    def _failed(self, body: str, why: str) -> None:
        subscription = _subscription.get()
        if subscription is None:
            return
        topic_arn = subscription["topic_arn"]
        logger.warning("SNS: %s", why)
        self._count(topic_arn, "NumberOfNotificationsFailed")
        policy = (subscription.get("attributes") or {}).get("RedrivePolicy") or "{}"
        target = (json.loads(policy) if isinstance(policy, str) else policy).get("deadLetterTargetArn")
        if not target:
            return
        queue = sqs._queue_by_arn(target)
        account = topic_arn.split(":")[4]
        if queue is None or not sqs.queue_policy_allows(target, SERVICE, topic_arn, account):
            self._count(topic_arn, "NumberOfNotificationsFailedToRedriveToDlq")
            return
        with over_tls():
            sqs._act_send_message({"QueueUrl": queue["url"], "MessageBody": body}, queue["url"])
        self._count(topic_arn, "NumberOfNotificationsRedrivenToDlq")

    def _count(self, topic_arn: str, metric: str) -> None:
        self._measurements.put("AWS/SNS", metric, 1, "Count", {"TopicName": topic_arn.rpartition(":")[2]})
