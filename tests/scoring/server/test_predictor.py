"""What the server does with what a graph gives it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from contract.serving import CSV
from scoring.server.predictor import REMEMBERED_COLUMNS, REMEMBERED_HEADERS, Predictor
from tabular.onnx_session import MatrixGraph
from tests.fixtures.folders import Run
from tests.fixtures.tables import mixed, to_csv


def test_a_prediction_that_is_not_finite_is_a_failure_of_its_row_alone(tmp_path: Path) -> None:
    table = mixed("regression").with_training(estimator="ridge-regression")
    _, trained = Run(tmp_path, table).trained()
    predictor = Predictor(trained.base / "model")
    rows = [[*table.rows[0][:4], ratio, "free"] for ratio in ("1", "3.4e38", "2")]
    answers = [
        json.loads(line)
        for line in predictor.respond(CSV, to_csv([table.header[:-1], *rows]).encode()).splitlines()
    ]
    assert ["rejected" in answer for answer in answers] == [False, True, False]
    assert answers[1]["rejected"][0]["code"] == "model_failed"


def test_many_different_headers_are_not_remembered_for_ever(mixed_model: Path) -> None:
    predictor = Predictor(mixed_model)
    table = mixed()
    for i in range(3 * REMEMBERED_HEADERS):
        body = to_csv([[*table.header, f"column {i}"], [*table.rows[0], ""]])
        assert "prediction" in json.loads(predictor.respond(CSV, body.encode()))
    assert len(predictor._readers) <= REMEMBERED_HEADERS


def test_a_huge_header_is_not_remembered(mixed_model: Path) -> None:
    predictor, table = Predictor(mixed_model), mixed()
    many = [f"column {i}" for i in range(REMEMBERED_COLUMNS)]
    body = to_csv([[*table.header, *many], [*table.rows[0], *many]])
    assert "prediction" in json.loads(predictor.respond(CSV, body.encode()))
    assert not predictor._readers


class FailsOn:
    """A graph that raises where it is given some row."""

    def __init__(self, graph: MatrixGraph, row: NDArray[np.float32]) -> None:
        self._graph = graph
        self._row = row

    def run(self, matrix: NDArray[np.float32], texts: NDArray[np.object_]) -> NDArray[np.float32]:
        if any(np.array_equal(row, self._row, equal_nan=True) for row in matrix):
            raise RuntimeError("this row")
        return self._graph.run(matrix, texts)


def test_a_row_on_which_the_model_fails_is_isolated(mixed_model: Path) -> None:
    table = mixed()
    predictor = Predictor(mixed_model)
    body = to_csv([table.header, *table.rows[:40]]).encode()
    expected = predictor.respond(CSV, body).splitlines()
    failing = predictor.read(CSV, body).rows.matrix[23]
    predictor._graph = cast("MatrixGraph", FailsOn(predictor._graph, failing))
    answers = predictor.respond(CSV, body).splitlines()
    assert json.loads(answers.pop(23))["rejected"][0]["code"] == "model_failed"
    del expected[23]
    assert answers == expected


def test_a_body_is_answered_alike_however_it_is_written(mixed_model: Path) -> None:
    """Known header or new, few rows or many, quoted or not, whatever ends the lines."""
    table = mixed()
    rows = [row for row in table.rows if not set(row[1]) & {'"', ","}][:50]
    rows[7], rows[9], rows[31] = (row[:3] for row in rows[:3])
    rows[8] = (*rows[8][:3], "XL", *rows[8][4:])
    predictor = Predictor(mixed_model)
    body = to_csv([table.header, *rows])
    first = predictor.respond(CSV, body.encode())
    assert first.count("wrong_field_count") == 3
    assert first.count("not_in_set") == 1
    one_by_one = [predictor.respond(CSV, to_csv([table.header, row]).encode()) for row in rows]
    quoted = to_csv([table.header, *rows], csv.QUOTE_ALL)
    blank = body.replace("\n", "\n\n")
    for written in (body, body.replace("\n", "\r\n"), "\ufeff" + body, quoted, blank, body.rstrip("\n")):
        assert predictor.respond(CSV, written.encode()) == first
        assert predictor.respond(CSV, written.encode()) == first
    assert "".join(one_by_one) == first
