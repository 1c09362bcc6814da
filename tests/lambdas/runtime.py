"""SageMaker's runtime API over HTTP, in front of a fake model: what botocore talks to in tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from contract.serving import MODEL_VERSION_HEADER
from lambdas.adapters.errors import AwsError
from tests.lambdas.fakes import SignModel

ENDPOINT = "millrace-test-sign"
STATUS = {
    "ModelError": 424,
    "ThrottlingException": 400,
    "ModelNotReadyException": 429,
    "ValidationError": 400,
}


@contextmanager
def serve_model(model: SignModel) -> Iterator[str]:
    """The URL under which the model answers while inside. A failure of the model has AWS's code."""

    class Runtime(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != f"/endpoints/{ENDPOINT}/invocations":
                self._error("ValidationError", Message=f"Endpoint {self.path} of account 1 not found.")
                return
            with model.lock:
                model.requests.append(body)
                failure = model.failures.pop(0) if model.failures else None
            if isinstance(failure, AwsError):
                self._error(
                    failure.code, Message="told to fail", OriginalStatusCode=500, OriginalMessage="oops"
                )
                return
            status, answer = model.answer(body)
            if status == 200:
                self._send(200, answer, {MODEL_VERSION_HEADER: model.version})
            else:
                self._error("ModelError", OriginalStatusCode=status, OriginalMessage=answer.decode())

        def _error(self, code: str, **fields: Any) -> None:
            self._send(STATUS.get(code, 503), json.dumps(fields).encode(), {"x-amzn-errortype": code})

        def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Runtime) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
