"""A function that is invoked for events of a kind, and loses none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from contract.names.outputs import Kind, Redrive, RedriveRoute, output_key
from infra.kit.capability import Composite
from infra.kit.deployment import Deployment
from infra.kit.function import Function
from infra.kit.iam import Allow
from infra.kit.queues import DeadLetterQueue, RuleDelivery


class EventHandler(Composite, Construct):
    """The function `<function>`, a rule that invokes it, and the dead letters `<name>` of both.

    `about` says what its events are about, in the plural.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        deployment: Deployment,
        name: str,
        about: str,
        function: str,
        log_source: str,
        description: str,
        timeout_seconds: int,
        memory_mib: int,
        allows: Iterable[Allow],
        pattern: events.EventPattern,
        rule_description: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = name
        dead_letters = DeadLetterQueue(self, "DeadLetters", name=name, about=about)
        self.function = Function(
            self,
            "".join(word.capitalize() for word in function.split("_")),
            deployment=deployment,
            name=function,
            log_source=log_source,
            description=description,
            variables={},
            timeout_seconds=timeout_seconds,
            memory_mib=memory_mib,
            allows=[
                Allow(actions=["sqs:SendMessage"], resources=[dead_letters.queue_arn]),
                *allows,
            ],
        )
        # The rule's dead letters are events that Lambda did not take. One that it took is given up on, and
        # forgotten, after two more tries: by default in silence.
        lambda_.CfnEventInvokeConfig(
            self,
            "OnFailure",
            function_name=self.function.function.function_name,
            qualifier="$LATEST",
            destination_config={"onFailure": {"destination": dead_letters.queue_arn}},
        )
        rule = events.Rule(
            self,
            "Rule",
            description=rule_description,
            event_pattern=pattern,
            targets=[targets.LambdaFunction(self.function.function, dead_letter_queue=dead_letters)],
        )
        self.parts = (dead_letters, self.function, RuleDelivery(rule.rule_name, name=name))

    def own_outputs(self) -> Mapping[str, str]:
        """The redrive route: the function is invoked again with what was given up on."""
        route = RedriveRoute(Redrive.INVOKE, self.function.name)
        return {output_key(self._name, Kind.REDRIVE_ROUTE): str(route)}
