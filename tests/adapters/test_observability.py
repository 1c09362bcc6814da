"""Log lines and metrics are what CloudWatch reads: one JSON object each."""

from __future__ import annotations

import json
import logging

import pytest

from adapters.observability import UNITS, EmbeddedMetrics, log_as_json, logged_with
from contract.names.metrics import Dimension, Metric


def test_a_line_has_its_context_its_extras_and_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json()
    log = logging.getLogger("lambdas.test")
    with logged_with(key="score/a\nb"), logged_with(request_id="r"):
        try:
            raise ValueError("why")
        except ValueError:
            log.exception("it %s", "failed", extra={"rows": 3})
    log.info("after")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    error = first.pop("error")
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "level": "ERROR",
        "message": "it failed",
        "logger": "lambdas.test",
        "key": "score/a\nb",
        "request_id": "r",
        "rows": 3,
    }
    assert (error["type"], error["message"]) == ("ValueError", "why")
    assert second.keys() == {"timestamp", "level", "message", "logger"}


def test_what_is_no_text_is_told_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON may hold half of a surrogate pair, and so may a key in a message that somebody made up."""
    log_as_json()
    with logged_with(key="score/\ud800.csv"):
        logging.getLogger("lambdas.test").info("scored")
        EmbeddedMetrics("test", "sign").emit({Metric.ROWS_SCORED: 3})
    for line in map(json.loads, capsys.readouterr().out.splitlines()):
        assert line["key"] == "score/\ud800.csv"


def test_libraries_are_heard_from_their_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    log_as_json()
    logging.getLogger("botocore").info("chatter")
    logging.getLogger("botocore").warning("trouble")
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["trouble"]


def test_metrics_are_embedded_with_both_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    with logged_with(key="score/a"):
        EmbeddedMetrics("test", "sign").emit({Metric.ROWS_SCORED: 3, Metric.REJECTED_ROW_SHARE: 25.0})
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "Millrace",
        "Dimensions": [["Environment", "Model"]],
        "Metrics": [{"Name": "RowsScored", "Unit": "Count"}, {"Name": "RejectedRowShare", "Unit": "Percent"}],
    }
    assert [line[name] for name in ("Environment", "Model", "RowsScored", "RejectedRowShare", "key")] == [
        "test",
        "sign",
        3,
        25.0,
        "score/a",
    ]
    assert isinstance(line["_aws"]["Timestamp"], int)


def test_a_dimension_is_ascii_as_cloudwatch_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    EmbeddedMetrics("test", "sign").emit({Metric.UNSEEN_CATEGORIES: 3}, {Dimension.FEATURE: "größe"})
    line = json.loads(capsys.readouterr().out)
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][1] == ["Environment", "Model", "Feature"]
    assert line["Feature"] == "gr\\xf6\\xdfe"


def test_every_metric_has_a_unit() -> None:
    assert UNITS.keys() == set(Metric)
