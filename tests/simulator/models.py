"""The models that go live during a simulation: trained by the project's jobs, answered by its own server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from container.paths import Paths
from contract.names.jobs import Variable
from contract.schema import Contract, Feature
from contract.serving import MODEL_VERSION_HEADER
from scoring.server.serve import Application, load
from tests.fixtures.folders import Run
from tests.fixtures.tables import Table, mixed
from tests.simulator.wire import Refusal, Request, Response

EXTRA = "extra"
"""A column that one of the models needs and the others do not."""

Models = Mapping[str, "Model"]


@dataclass(frozen=True)
class Model:
    """One released version."""

    version: str
    contract: Contract
    application: Application

    def answer(self, content_type: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the model server's answer."""
        return _exchange(self.application, content_type, body)

    def handle(self, request: Request) -> Response:
        """InvokeEndpoint, with this version live."""
        status, headers, body = self.answer(request.headers["Content-Type"], request.body)
        if status != 200:
            raise Refusal(
                424, "ModelError", "refused", OriginalStatusCode=status, OriginalMessage=body.decode()
            )
        version = headers[MODEL_VERSION_HEADER.lower()]
        return Response(body, {"Content-Type": headers["content-type"], MODEL_VERSION_HEADER: version})

    def says(self, content_type: str, body: bytes) -> list[dict[str, Any]] | str:
        """An answer a row, numbers as text; or the code with which it refuses."""
        status, _, answer = self.answer(content_type, body)
        if status != 200:
            return str(json.loads(answer)["code"])
        return [json.loads(line, parse_float=str, parse_int=str) for line in answer.splitlines()]


def train_models(folder: Path) -> Models:
    """Train three versions into a folder, and put the deployed code's contract.json beside them."""
    (folder / "contract.json").write_text(mixed().contract.to_json())
    with threadpool_limits(limits=1):
        for version, table in _tables().items():
            Run(_folder(folder, version), table).trained()
    return load_models(folder)


def load_models(folder: Path) -> Models:
    """The versions that were trained into a folder."""
    return {
        version: Model(
            version,
            table.contract,
            load(Paths(_folder(folder, version) / "train"), {Variable.MODEL_VERSION: version}),
        )
        for version, table in _tables().items()
    }


def _folder(folder: Path, version: str) -> Path:
    return folder / version.replace("/", "-")


def _tables() -> dict[str, Table]:
    """Two versions alike but for what they learned, and one that needs one more column."""
    table = mixed()
    needs_more = replace(
        table.contract, features=(*table.contract.features, Feature(name=EXTRA, type="number"))
    )
    more = tuple((*row[:-1], str(n % 7), row[-1]) for n, row in enumerate(table.rows))
    header = (*table.header[:-1], EXTRA, table.header[-1])
    return {
        "simulated/1": table,
        "simulated/2": replace(table, rows=table.rows[:400]),
        "simulated/3": Table(needs_more, header, more),
    }


def _exchange(application: Application, content_type: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/invocations",
        "headers": [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())],
    }
    asyncio.run(application(scope, receive, send))
    start, *parts = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return int(start["status"]), headers, b"".join(part.get("body", b"") for part in parts)
