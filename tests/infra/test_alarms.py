"""Every alarm is as the tables here say, pages, and says what to do.

The first table has what follows from the stacks' functions, queues, rules and state machines, so that a new
one needs no row. The second has the alarms of each capability's own: one row an alarm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.layout import SCORED_PREFIX, TRAINING_PREFIX
from contract.names.metrics import NAMESPACE, Dimension, Metric
from infra.monitoring.construct import WINDOW_SECONDS
from infra.settings import EnvironmentSettings
from tests.infra.test_queues import dead_letters
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth

IGNORE = "ignore"
"""Of metrics that are sent while they are 0, too: a gap says nothing, and must not end the alarm."""
ENDS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An alarm: `statistic` of `metric` in each of `periods` above `above` is worth a page."""

    metric: str
    runbook: str
    statistic: str = "Sum"
    above: float = 0
    periods: int = 1
    missing: str = "notBreaching"


ERRORS = Expected(metric="AWS/Lambda Errors", runbook="function-errors")
THROTTLES = Expected(metric="AWS/Lambda Throttles", periods=3, runbook="function-throttles")
UNDELIVERED = Expected(metric="AWS/Events FailedInvocations", runbook="undelivered-events")
DEAD_LETTERS = Expected(
    metric="AWS/SQS ApproximateNumberOfMessagesVisible",
    statistic="Maximum",
    missing=IGNORE,
    runbook="dead-letters",
)


def of_parts(stacks: Synthesis) -> Iterator[tuple[str, Expected]]:
    """The alarms of functions, queues, rules and state machines: what each is about, and how it is."""
    for function in stacks.of_type("AWS::Lambda::Function").values():
        for expected in (ERRORS, THROTTLES):
            yield subject(FunctionName=function["Properties"]["FunctionName"]), expected
    for rule in stacks.of_type("AWS::Events::Rule"):
        yield subject(RuleName={"Ref": rule}), UNDELIVERED
    for name in dead_letters(stacks):
        yield subject(QueueName={"Fn::GetAtt": [name, "QueueName"]}), DEAD_LETTERS
    for name, queue in stacks.of_type("AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue["Properties"]:
            yield subject(QueueName={"Fn::GetAtt": [name, "QueueName"]}), oldest_message(stacks, name)
    for name, machine in stacks.of_type("AWS::StepFunctions::StateMachine").items():
        runbook = machine["Properties"]["StateMachineName"].rpartition("-")[2] + "-failed"
        for end in ENDS:
            arn = {"Fn::GetAtt": [name, "Arn"]}
            yield subject(StateMachineArn=arn), Expected(metric=f"AWS/States {end}", runbook=runbook)


def oldest_message(stacks: Synthesis, queue: str) -> Expected:
    """A message may wait as long as is configured, and as long as its queue's uploads wait by design."""
    settings = stacks.configuration.environment
    waits = {TRAINING_PREFIX: settings.training.quiet_seconds, SCORED_PREFIX: WINDOW_SECONDS}
    [prefix] = [
        rule["Properties"]["EventPattern"]["detail"]["object"]["key"][0]["prefix"]
        for rule in stacks.of_type("AWS::Events::Rule").values()
        if any(target["Arn"] == {"Fn::GetAtt": [queue, "Arn"]} for target in rule["Properties"]["Targets"])
    ]
    return Expected(
        metric="AWS/SQS ApproximateAgeOfOldestMessage",
        statistic="Maximum",
        above=settings.alarms.oldest_message_seconds + waits.get(prefix, 0),
        runbook="oldest-message",
    )


def own(settings: EnvironmentSettings) -> dict[str, Expected]:
    """The alarms of capabilities' own, by name."""
    endpoint = "AWS/SageMaker"
    return {
        "unscorable-uploads": Expected(
            metric=f"{NAMESPACE} {Metric.UPLOADS_UNSCORABLE}", runbook="unscorable-uploads"
        ),
        "rejected-rows": Expected(
            metric=f"{NAMESPACE} {Metric.REJECTED_ROW_SHARE}",
            statistic="Maximum",
            above=settings.alarms.rejected_row_percent,
            runbook="rejected-rows",
        ),
        "unseen-categories": Expected(
            metric=f"{NAMESPACE} {Metric.UNSEEN_CATEGORY_SHARE}",
            statistic="Maximum",
            above=settings.alarms.unseen_category_percent,
            runbook="unseen-categories",
        ),
        "uploads-without-outcome": Expected(
            metric=f"{NAMESPACE} {Metric.UPLOADS_WITHOUT_OUTCOME}",
            statistic="Maximum",
            missing=IGNORE,
            runbook="uploads-without-outcome",
        ),
        "quota-reached": Expected(metric=f"{NAMESPACE} {Metric.QUOTA_REACHED}", runbook="quota-reached"),
        "pipeline-failed": Expected(metric=f"{NAMESPACE} {Metric.RUNS_PAGED}", runbook="pipeline-failed"),
        "drift": Expected(
            metric=f"{NAMESPACE} {Metric.DRIFTED}", statistic="Maximum", missing=IGNORE, runbook="drift"
        ),
        "endpoint-errors": Expected(metric=f"{endpoint} Invocation5XXErrors", runbook="endpoint-errors"),
        "endpoint-latency": Expected(
            metric=f"{endpoint} ModelLatency",
            statistic="p99",
            above=settings.alarms.p99_latency_ms * 1000,
            periods=3,
            runbook="endpoint-latency",
        ),
    }


def alarms(stacks: Synthesis) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by name without the prefix."""
    prefix = f"millrace-{stacks.configuration.environment_name}-tumor-"
    found = [alarm["Properties"] for alarm in stacks.of_type("AWS::CloudWatch::Alarm").values()]
    assert all(properties["AlarmName"].startswith(prefix) for properties in found)
    by_name = {properties["AlarmName"].removeprefix(prefix): properties for properties in found}
    assert len(by_name) == len(found), "two alarms of one name"
    return by_name


def subject(**dimensions: Any) -> str:
    """What an alarm is about: its metric's dimensions."""
    return json.dumps(dimensions, sort_keys=True)


def subject_of(alarm: dict[str, Any]) -> str:
    return subject(**{dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]})


def actual(alarm: dict[str, Any]) -> Expected:
    """An alarm's own numbers."""
    return Expected(
        metric=f"{alarm['Namespace']} {alarm['MetricName']}",
        statistic=alarm.get("Statistic") or alarm["ExtendedStatistic"],
        above=alarm["Threshold"],
        periods=alarm["EvaluationPeriods"],
        missing=alarm["TreatMissingData"],
        runbook=alarm["AlarmDescription"].rpartition("/")[2].removesuffix(".md"),
    )


def test_functions_queues_rules_and_state_machines_have_their_alarms(stacks: Synthesis) -> None:
    mine = own(stacks.configuration.environment)
    found = [(subject_of(a), actual(a)) for name, a in alarms(stacks).items() if name not in mine]
    expected = list(of_parts(stacks))
    assert len(expected) > 30
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_each_capability_has_its_own_alarms(stacks: Synthesis) -> None:
    expected = own(stacks.configuration.environment)
    assert {name: actual(alarms(stacks)[name]) for name in expected} == expected
    ours = subject(**{Dimension.ENVIRONMENT: stacks.configuration.environment_name, Dimension.MODEL: "tumor"})
    endpoint = f"millrace-{stacks.configuration.environment_name}-tumor"
    served = subject(EndpointName=endpoint, VariantName="live")
    for name in expected:
        about = served if name.startswith("endpoint") else ours
        assert subject_of(alarms(stacks)[name]) == about, name


def test_every_alarm_compares_and_pages_alike(stacks: Synthesis) -> None:
    [topic] = stacks.of_type("AWS::SNS::Topic")
    for name, alarm in alarms(stacks).items():
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold", name
        assert alarm["Period"] == stacks.configuration.environment.alarms.period_seconds, name
        assert alarm["AlarmActions"] == [{"Ref": topic}], name
        assert alarm.get("ActionsEnabled", True) is True, name
        assert "DatapointsToAlarm" not in alarm, name


def test_every_alarm_says_what_it_means_and_links_its_runbook(root: Path, stacks: Synthesis) -> None:
    used = set()
    for name, alarm in alarms(stacks).items():
        means, _, link = alarm["AlarmDescription"].rpartition(" ")
        repository, _, page = link.rpartition("/blob/main/")
        assert repository == stacks.configuration.environment.repository
        assert (root / page).is_file(), f"{name}: there is no {page}"
        assert " First: " in means
        assert len(alarm["AlarmDescription"]) <= 1024
        used.add(Path(page).name)
    assert used == {path.name for path in (root / "docs" / "runbooks").glob("*.md")} - {"README.md"}


def test_an_account_has_no_period_that_only_custom_metrics_can_have(prod: Synthesis) -> None:
    assert prod.configuration.environment.alarms.period_seconds % 60 == 0


def test_the_readme_says_what_they_cost(prod: Synthesis, root: Path) -> None:
    number = len(alarms(prod))
    assert f"{number} alarms {0.1 * number:.2f} USD" in (root / "README.md").read_text()
