"""The model server as SageMaker starts and calls it: a process, a port, HTTP."""

from __future__ import annotations

import csv
import gzip
import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract import serving
from contract.names.jobs import Variable
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import Table, diabetes, mixed, to_csv, wine

VERSION = "millrace-test-mixed/7"
HEADER = mixed().header[:-1]
GOOD = ("100", "red", "2024-05-01", "S", "0.5", "free")


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.body
        assert self.headers["content-type"] == serving.JSON_LINES
        assert self.headers[serving.MODEL_VERSION_HEADER.lower()] == VERSION
        return [json.loads(line) for line in self.body.splitlines()]

    @property
    def fault(self) -> dict[str, Any]:
        assert self.headers["content-type"] == serving.JSON
        fault: dict[str, Any] = json.loads(self.body)
        assert set(fault) == {"code", "message", "column", "line", "byte"}
        return fault


class Server(NamedTuple):
    port: int

    def call(
        self, method: str, path: str, body: bytes = b"", content_type: str = "", attributes: str = ""
    ) -> Response:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        told = {"content-type": content_type, serving.MODEL_VERSION_HEADER: attributes}
        try:
            connection.request(method, path, body, {name: value for name, value in told.items() if value})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, headers, answer.read())
        finally:
            connection.close()

    def predict(self, body: str | bytes, content_type: str = serving.CSV, attributes: str = "") -> Response:
        data = body if isinstance(body, bytes) else body.encode()
        return self.call("POST", "/invocations", data, content_type, attributes)

    def predict_rows(self, *rows: tuple[str, ...]) -> list[dict[str, Any]]:
        return self.predict(to_csv([HEADER, *rows])).rows


def started(model: Path, version: str) -> Iterator[Server]:
    """A server of a model folder; ends with a signal, as SageMaker ends it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables: dict[str, str] = {Variable.BIND_HOST: "127.0.0.1", Variable.MODEL_VERSION: version}
    job = Job(model.parent, {"SAGEMAKER_BIND_TO_PORT": str(port), **variables})
    process = job.spawn("serve")
    try:
        wait_for_ping(process, port)
        yield Server(port)
    finally:
        process.terminate()
        output, errors = process.communicate(timeout=20)
    assert "Traceback" not in output + errors


def wait_for_ping(process: Any, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        try:
            if Server(port).call("GET", "/ping").status == 200:
                return
        except ConnectionError:
            time.sleep(0.02)
    raise AssertionError("the server never answered")


@pytest.fixture(scope="module")
def server(mixed_model: Path) -> Iterator[Server]:
    yield from started(mixed_model, VERSION)


def test_a_server_listens_where_it_is_told(server: Server) -> None:
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", server.port), 5):
        pass


def test_ping(server: Server) -> None:
    assert server.call("GET", "/ping")[::2] == (200, b"")


def test_a_row_is_predicted(server: Server) -> None:
    (row,) = server.predict_rows(GOOD)
    assert set(row) == {"prediction", "probability"}
    assert row["prediction"] in ("yes", "no")
    assert (row["probability"] >= 0.5) == (row["prediction"] == "yes")


def test_every_content_type_and_order_of_columns_gives_the_same_answer(server: Server) -> None:
    named = dict(zip(HEADER, GOOD, strict=True))
    expected = server.predict_rows(GOOD)
    typed = {**named, "amount": 100, "ratio": 0.5, "extra": [1]}
    turned = [[*reversed(HEADER), "more"], [*reversed(GOOD), "x"]]
    assert server.predict(to_csv(turned)).rows == expected
    assert server.predict(to_csv(turned).replace("\n", "\r\n"), "text/csv; charset=utf-8").rows == expected
    assert server.predict("\ufeff" + to_csv(turned)).rows == expected
    assert server.predict(json.dumps(typed), serving.JSON).rows == expected
    assert server.predict(json.dumps([typed, named]), serving.JSON).rows == expected * 2
    assert (
        server.predict(f"{json.dumps(typed)}\n\n{json.dumps(named)}\n", serving.JSON_LINES).rows
        == expected * 2
    )


def test_rows_come_back_in_order_each_with_a_prediction_or_all_its_reasons(server: Server) -> None:
    good, bad = server.predict_rows(GOOD), ("x", "red", "soon", "XL", "1", "paid")
    rows = server.predict(to_csv([HEADER, GOOD, bad, GOOD[:3], GOOD, (*GOOD, "more"), bad, GOOD])).rows
    assert [rows[0], rows[3], rows[6]] == good * 3
    assert rows[1] == rows[5]
    assert rows[1] == {
        "prediction": None,
        "probability": None,
        "rejected": [
            {"code": "not_a_number", "column": "amount", "message": "'x' is not a number"},
            {
                "code": "not_a_datetime",
                "column": "opened",
                "message": "'soon' is not an ISO 8601 date or time",
            },
            {"code": "not_in_set", "column": "size", "message": "'XL' is not one of 'S', 'M', 'L'"},
        ],
    }
    assert rows[2]["rejected"][0]["code"] == rows[4]["rejected"][0]["code"] == "wrong_field_count"
    assert rows[2]["rejected"][0]["message"] == "3 fields under a header of 6"


def test_missing_and_unseen_values_are_scored(server: Server) -> None:
    for row in server.predict_rows(("n/a", "?", "never", "S", "", ""), ("", "octarine", "", "M", "", "")):
        assert "prediction" in row


def test_json_that_lacks_a_value_is_a_row_with_a_missing_one(server: Server) -> None:
    named = dict(zip(HEADER, GOOD, strict=True))
    partial = {**named, "size": None}
    del partial["ratio"]
    first, second = server.predict(json.dumps([named, partial]), serving.JSON).rows
    assert "prediction" in first
    assert [reason["code"] for reason in second["rejected"]] == ["missing"]


def test_a_list_or_object_is_no_value_and_a_boolean_is_a_word(server: Server) -> None:
    named = dict(zip(HEADER, GOOD, strict=True))
    nested = {**named, "amount": [1], "colour": {"a": 1}, "size": []}
    rows = server.predict(json.dumps([named, nested, {**named, "amount": True}]), serving.JSON).rows
    assert "prediction" in rows[0]
    assert [(r["code"], r["column"]) for r in rows[1]["rejected"]] == [
        ("nested_value", "amount"),
        ("nested_value", "colour"),
        ("nested_value", "size"),
    ]
    assert [r["message"] for r in rows[2]["rejected"]] == ["'true' is not a number"]


def test_a_whole_table_comes_back_as_parquet_with_its_counts(server: Server) -> None:
    rows = [GOOD, ("x", *GOOD[1:]), GOOD]
    upload = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEADER, map(list, zip(*rows, strict=True)), strict=True))), upload)
    answer = server.predict(upload.getvalue(), serving.PARQUET)
    assert (answer.status, answer.headers["content-type"]) == (200, serving.PARQUET)
    told = serving.Attributes.parse(answer.headers[serving.MODEL_VERSION_HEADER.lower()])
    assert told == serving.Attributes(model_version=VERSION, rows=3, rejected=1)
    table = pq.read_table(io.BytesIO(answer.body)).to_pylist()
    (expected,) = server.predict_rows(GOOD)
    assert [(row["prediction"], row["probability"]) for row in (table[0], table[2])] == [
        (expected["prediction"], expected["probability"])
    ] * 2
    assert table[1]["rejected"] == "amount: 'x' is not a number [not_a_number]"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", serving.CSV, 400, "empty_file"),
        (b" \n\n", serving.CSV, 400, "empty_file"),
        (b"amount,colour\n", serving.CSV, 400, "header_only"),
        (b"amount,colour\n1,red\n", serving.CSV, 400, "missing_column"),
        (to_csv([(*HEADER, "size"), (*GOOD, "S")]).encode(), serving.CSV, 400, "duplicate_column"),
        (b"amount\n\xff\n", serving.CSV, 400, "undecodable"),
        (b'amount\n"1\n', serving.CSV, 400, "not_csv"),
        (gzip.compress(b"amount\n1\n", mtime=0), serving.CSV, 400, "undecodable"),
        (b"{", serving.JSON, 400, "not_json"),
        (b"[" * 100_000, serving.JSON, 400, "too_deep"),
        (b"[1]", serving.JSON, 400, "not_an_object"),
        (b"7", serving.JSON_LINES, 400, "not_an_object"),
        (b"", serving.PARQUET, 400, "empty_file"),
        (b"PAR1", serving.PARQUET, 400, "not_parquet"),
        (b"[]", serving.JSON, 400, "header_only"),
        (b"{}", serving.JSON, 400, "missing_column"),
        (b'{"amount": 1}\nnope\n', serving.JSON_LINES, 400, "not_json"),
        (b"x", "application/x-parquet", 415, "unsupported_format"),
        (b"x", "", 415, "unsupported_format"),
        (b"x" * (serving.MAX_REQUEST_BYTES + 1), serving.CSV, 413, "too_large"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_table_of_this_model_is_refused_with_a_code(
    server: Server, body: bytes, content_type: str, status: int, code: str
) -> None:
    refused = server.predict(body, content_type)
    assert (refused.status, refused.fault["code"]) == (status, code)


def test_an_answer_longer_than_its_client_can_take_is_refused(server: Server) -> None:
    body = to_csv([HEADER, *[GOOD] * 5000]).encode()
    answer = server.predict(body)
    for most, status in ((len(answer.body), 200), (len(answer.body) - 1, 413)):
        told = server.predict(body, attributes=f"{serving.MAX_ANSWER}{most}")
        assert told.status == status
    assert told.fault["code"] == "too_large"
    assert server.predict(body, attributes="max_answer_bytes=few").status == 200, "somebody else's attribute"


def test_faults_say_where(server: Server) -> None:
    assert server.predict(b"amount\n1\n2\xff\n").fault["byte"] == 10
    assert server.predict(b"\xef\xbb\xbfamount\n1\n2\xff\n").fault["byte"] == 13
    assert server.predict(b'a\n1\n"\n').fault["line"] == 3
    assert server.predict(b"{}\n\n?\n", serving.JSON_LINES).fault["line"] == 3
    missing = server.predict(b"amount\n1\n").fault
    assert missing["column"] == "colour"
    assert missing["message"].startswith("The table has no column 'colour', 'opened'")
    assert "does it begin with their names" not in missing["message"]
    assert "does it begin with their names" in server.predict(b"1,red\n2,blue\n").fault["message"]


def test_other_paths_and_methods(server: Server) -> None:
    assert server.call("GET", "/").status == 404
    assert server.call("GET", "/invocations").status == 405
    assert server.call("POST", "/ping").status == 405


def test_text_that_is_no_unicode_is_a_value_never_seen(server: Server) -> None:
    named = dict(zip(HEADER, GOOD, strict=True))
    (row,) = server.predict(json.dumps({**named, "colour": "\ud800"}), serving.JSON).rows
    (unseen,) = server.predict(json.dumps({**named, "colour": "octarine"}), serving.JSON).rows
    assert row == unseen


def test_ping_answers_while_a_large_body_is_scored(server: Server) -> None:
    body = to_csv([HEADER, *[GOOD] * 100_000])
    answers: list[Response] = []
    caller = threading.Thread(target=lambda: answers.append(server.predict(body)))
    caller.start()
    pings = 0
    while caller.is_alive():
        assert server.call("GET", "/ping").status == 200
        pings += 1
    assert len(answers[0].rows) == 100_000
    assert pings > 3, "each would have had to wait for the rows"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), content_type=st.sampled_from(serving.ROW_TYPES))
def test_no_bytes_are_a_server_error(server: Server, body: bytes, content_type: str) -> None:
    assert server.predict(body, content_type).status in (200, 400)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.tuples(*[json_values] * len(HEADER)))
def test_no_values_are_a_server_error(server: Server, values: tuple[Any, ...]) -> None:
    (row,) = server.predict(json.dumps([dict(zip(HEADER, values, strict=True))]), serving.JSON).rows
    assert (row["prediction"] is None) == bool(row.get("rejected"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[st.text(max_size=5)] * len(HEADER)), min_size=1, max_size=5))
def test_any_texts_come_back_row_by_row(server: Server, rows: list[tuple[str, ...]]) -> None:
    assert len(server.predict(to_csv([HEADER, *rows], csv.QUOTE_ALL)).rows) == len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("table", [wine(), diabetes()], ids=lambda table: table.contract.problem)
def test_other_problems(tmp_path: Path, table: Table) -> None:
    _, trained = Run(tmp_path, table).trained()
    for server in started(trained.base / "model", VERSION):
        rows = server.predict(table.csv(table.rows[:30])).rows
        if table.contract.problem == "regression":
            assert all(set(row) == {"prediction"} and 20 < row["prediction"] < 350 for row in rows)
            continue
        for row in rows:
            shares = {name.removeprefix("probability_"): row[name] for name in row if name != "prediction"}
            assert set(shares) == {"class 0", "class 1", "class 2"}
            assert row["prediction"] == max(shares, key=shares.__getitem__)
            assert sum(shares.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
def test_an_altered_model_is_not_served(tmp_path: Path) -> None:
    _, trained = Run(tmp_path, wine()).trained()
    (trained.base / "model" / "model.onnx").write_bytes(b"another")
    process = trained.spawn("serve")
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors == "serve: Platform: the model cannot be served: altered since it was sealed: model.onnx\n"
