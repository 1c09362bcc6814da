"""Log lines of several parts, by time, readable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import typer

from cli.aws.clients import Aws
from cli.aws.logs.lines import Line
from cli.aws.logs.sources import event_text, lines, log_sources
from cli.aws.session import Deployment
from cli.commands.logs import read_lines, rendered
from cli.kit.choices import chosen
from cli.kit.errors import CliError
from tests.cli.conftest import deploy

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR_AGO = NOW - timedelta(hours=1)


@pytest.fixture
def deployed(aws: Aws) -> Deployment:
    outputs = {
        "ScoreLogSource": "/aws/lambda/score",
        "TrainLogSource": "/aws/lambda/start",
        "EndpointLogSource": "/aws/sagemaker/Endpoints/e",
    }
    return deploy(aws, "tumor", {}, outputs)


def write(aws: Aws, group: str, *lines: tuple[int, str]) -> None:
    aws.logs.create_log_group(logGroupName=group)
    aws.logs.create_log_stream(logGroupName=group, logStreamName="s")
    events = [
        {"timestamp": int((NOW - timedelta(minutes=ago)).timestamp() * 1000), "message": text}
        for ago, text in lines
    ]
    aws.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)  # type: ignore[arg-type]


def test_lines_of_several_sources_by_time(aws: Aws, deployed: Deployment) -> None:
    write(aws, "/aws/lambda/score", (30, "first"), (10, "third"))
    write(aws, "/aws/sagemaker/Endpoints/e", (90, "too old"), (20, "second"))

    logged = read_lines(deployed, log_sources(deployed), HOUR_AGO, None)

    assert [(line.source, line.text) for line in logged] == [
        ("score", "first"),
        ("endpoint", "second"),
        ("score", "third"),
    ]


def test_lines_about_one_upload(aws: Aws, deployed: Deployment) -> None:
    texts = (json.dumps({"message": "scored", "key": key}) for key in ("score/a.csv", "score/a.csv.csv"))
    write(aws, "/aws/lambda/score", (3, next(texts)), (2, next(texts)), (1, "REPORT"))

    (line,) = read_lines(deployed, {"score": "/aws/lambda/score"}, HOUR_AGO, "score/a.csv")

    assert line.fields == {"message": "scored", "key": "score/a.csv"}


def line(text: str) -> Line:
    return Line(datetime(2026, 11, 21, 9, 30, 1, 5000, UTC), "score", text, "")


def shown() -> Iterator[tuple[str, str]]:
    """Lines as they are logged and as they are shown."""
    yield "plain [text]", "09:30:01.005 score     plain [text]"
    yield '"a string"', '09:30:01.005 score     "a string"'
    structured = {
        "timestamp": "x",
        "level": "INFO",
        "logger": "l",
        "message": "scored",
        "key": "k",
        "rows": 3,
    }
    yield json.dumps(structured), "09:30:01.005 score     INFO    scored  key=k  rows=3"
    yield json.dumps({"_aws": {}, "RowsScored": 3}), "09:30:01.005 score     METRICS   RowsScored=3"
    failed = {
        "level": "ERROR",
        "message": "no",
        "error": {"type": "E", "message": "m", "traceback": "one\ntwo"},
    }
    yield json.dumps(failed), "09:30:01.005 score     ERROR   no\n    one\n    two"


@pytest.mark.parametrize("source", ["score", "reconcile", "a-capability-to-come"])
def test_a_space_parts_a_source_from_its_text(source: str) -> None:
    line = Line(datetime(2026, 11, 21, tzinfo=UTC), source, "hello", "")
    assert rendered(line).plain.split() == ["00:00:00.000", source, "hello"]


def test_an_unknown_source_is_answered_with_those_there_are(deployed: Deployment) -> None:
    with pytest.raises(
        typer.BadParameter, match=r"no 'scores' \(did you mean score\?\); .*endpoint, score, train"
    ):
        chosen(["scores"], log_sources(deployed), "SOURCE")


def test_stacks_that_put_out_no_log_sources_are_to_be_deployed_again(aws: Aws) -> None:
    older = deploy(aws, "tumor", {}, {"ScoreUploadFunction": "score"})

    with pytest.raises(
        CliError, match=r"no log sources: .*\./millrace deploy --environment dev --model tumor"
    ):
        log_sources(older)


def test_a_source_of_a_later_version_is_refused(deployed: Deployment) -> None:
    with pytest.raises(
        CliError, match="log source spark is arn:aws:glue:job, which this version cannot read"
    ):
        list(lines(deployed, "spark", "arn:aws:glue:job", HOUR_AGO))


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("START RequestId: 1 Version: $LATEST", True),
        ("END RequestId: 1", True),
        ("REPORT RequestId: 1 Duration: 3 ms", False),
        ('{"_aws": {}, "RowsScored": 3}', True),
        ('{"level": "INFO", "message": "START"}', False),
        ("START", False),
    ],
)
def test_what_is_for_machines_is_shown_only_where_it_is_asked_for(text: str, is_so: bool) -> None:
    assert line(text).bookkeeping is is_so


@pytest.mark.parametrize(("text", "expected"), list(shown()))
def test_a_line_for_reading(text: str, expected: str) -> None:
    assert rendered(line(text)).plain == expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Verify"}}, "Verify"),
        ({"type": "TaskScheduled", "taskScheduledEventDetails": {"resource": "x"}}, ""),
        (
            {"type": "TaskFailed", "taskFailedEventDetails": {"error": "E", "cause": "altered"}},
            "TaskFailed: E altered",
        ),
        ({"type": "ExecutionSucceeded", "executionSucceededEventDetails": {}}, "ExecutionSucceeded"),
    ],
)
def test_what_a_release_did(event: dict[str, object], expected: str) -> None:
    assert event_text(event) == expected
