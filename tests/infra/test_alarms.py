"""Every alarm pages, watches a metric that something emits, and says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract.names.metrics import NAMESPACE, Dimension, Metric
from tests.synthesis import Synthesis

pytestmark = pytest.mark.synth

EMITTED = {
    "AWS/SQS": ({"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}, {"QueueName"}),
    "AWS/Lambda": ({"Errors", "Throttles"}, {"FunctionName"}),
    "AWS/SageMaker": ({"Invocation5XXErrors", "ModelLatency"}, {"EndpointName", "VariantName"}),
    "AWS/States": ({"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}, {"StateMachineArn"}),
    "AWS/Events": ({"FailedInvocations"}, {"RuleName"}),
    NAMESPACE: ({metric.value for metric in Metric}, {Dimension.ENVIRONMENT, Dimension.MODEL}),
}
"""Metrics as AWS's services and our functions name them, with the dimensions they come with."""
FUNCTIONS = (
    "start-training",
    "report-failure",
    "score-upload",
    "reconcile-uploads",
    "verify-package",
    "collect-predictions",
)

RULES = ("score", "training", "failure", "release", "reconciliation", "prediction", "monitor")
DEAD_LETTERS = ("score", "training", "failure", "release", "page", "prediction", "monitor")


def alarms(stacks: Synthesis) -> dict[str, dict[str, Any]]:
    """The alarms' properties, by name without the prefix."""
    prefix = f"millrace-{stacks.configuration.environment_name}-tumor-"
    found = [alarm["Properties"] for alarm in stacks.of_type("AWS::CloudWatch::Alarm").values()]
    assert all(properties["AlarmName"].startswith(prefix) for properties in found)
    return {properties["AlarmName"].removeprefix(prefix): properties for properties in found}


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}


def test_what_can_go_wrong_is_watched(stacks: Synthesis) -> None:
    assert set(alarms(stacks)) == {
        "unscorable-uploads",
        "rejected-rows",
        "unseen-categories",
        "uploads-without-outcome",
        *(f"{queue}-dead-letters" for queue in DEAD_LETTERS),
        *(f"{queue}-oldest-message" for queue in ("score", "training", "prediction")),
        *(f"{rule}-undelivered-events" for rule in RULES),
        *(f"{f}-errors" for f in (*FUNCTIONS, "endpoint")),
        *(f"{f}-throttles" for f in FUNCTIONS),
        "endpoint-latency",
        "drift",
        "pipeline-failed",
        *(
            f"{what}-{end}"
            for what in ("release", "batch", "monitor")
            for end in ("failed", "timed-out", "aborted")
        ),
    }


def test_every_alarm_pages(stacks: Synthesis) -> None:
    [topic] = stacks.of_type("AWS::SNS::Topic")
    for name, alarm in alarms(stacks).items():
        assert alarm["AlarmActions"] == [{"Ref": topic}], name
        assert alarm.get("ActionsEnabled", True) is True


def test_missing_data_is_decided(stacks: Synthesis) -> None:
    for name, alarm in alarms(stacks).items():
        sends_nought_too = name.endswith("dead-letters") or name in ("uploads-without-outcome", "drift")
        expected = "ignore" if sends_nought_too else "notBreaching"
        assert alarm["TreatMissingData"] == expected, name


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


def test_every_alarm_watches_a_metric_that_is_emitted(stacks: Synthesis) -> None:
    for name, alarm in alarms(stacks).items():
        metrics, names = EMITTED[alarm["Namespace"]]
        assert alarm["MetricName"] in metrics, name
        assert set(dimensions(alarm)) == names, name


def test_every_alarm_watches_something_that_exists(stacks: Synthesis) -> None:
    resources = dict(stacks.resources())
    model = f"millrace-{stacks.configuration.environment_name}-tumor"
    known = {
        model,
        "live",
        stacks.configuration.environment_name,
        "tumor",
        *(f["Properties"]["FunctionName"] for f in stacks.of_type("AWS::Lambda::Function").values()),
    }
    for name, alarm in alarms(stacks).items():
        for value in dimensions(alarm).values():
            if isinstance(value, str):
                assert value in known, name
            else:
                [reference] = value.values()
                assert (reference if isinstance(reference, str) else reference[0]) in resources, name


def test_every_queue_rule_and_function_is_watched(stacks: Synthesis) -> None:
    watched = json.dumps([alarm["Dimensions"] for alarm in alarms(stacks).values()])
    for kind in ("AWS::SQS::Queue", "AWS::Events::Rule"):
        for name in stacks.of_type(kind):
            assert name in watched or name.startswith("PagingInbox"), name
    for function in stacks.of_type("AWS::Lambda::Function").values():
        assert function["Properties"]["FunctionName"] in watched


def test_thresholds_come_from_the_environment(stacks: Synthesis) -> None:
    settings, found = stacks.configuration.environment.alarms, alarms(stacks)
    assert found["rejected-rows"]["Threshold"] == settings.rejected_row_percent
    assert found["unseen-categories"]["Threshold"] == settings.unseen_category_percent
    assert found["score-oldest-message"]["Threshold"] == settings.oldest_message_seconds
    quiet = stacks.configuration.environment.training.quiet_seconds
    assert found["training-oldest-message"]["Threshold"] == settings.oldest_message_seconds + quiet
    assert found["endpoint-latency"]["Threshold"] == settings.p99_latency_ms * 1000
    assert found["endpoint-latency"]["ExtendedStatistic"] == "p99"
    assert {alarm["Period"] for alarm in found.values()} == {settings.period_seconds}


def test_an_account_has_no_period_that_only_custom_metrics_can_have(prod: Synthesis) -> None:
    assert prod.configuration.environment.alarms.period_seconds % 60 == 0


def test_the_readme_says_what_they_cost(prod: Synthesis, root: Path) -> None:
    number = len(alarms(prod))
    assert f"{number} alarms {0.1 * number:.2f} USD" in (root / "README.md").read_text()
