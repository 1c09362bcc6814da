"""A process of `cold_start`: everything up to the first request, which is not sent.

  python -m benchmarks.suites.cold_start_probe function NAME EVENT
  python -m benchmarks.suites.cold_start_probe alone SERVICE ...

Prints the processor's milliseconds since this file began, and the services of the clients made.
"""

import time

_BEGIN = time.process_time()

import sys  # noqa: E402 - nothing may be imported before the clock starts
from typing import Any  # noqa: E402

import boto3  # noqa: E402

QUESTIONS = {"s3": "list_buckets", "sagemaker": "list_models", "stepfunctions": "list_state_machines"}
"""Of each service that a function may ask first, a request without parameters."""


class FirstRequest(BaseException):
    """Raised in place of the first request; no handler takes it for an error of AWS."""


class Context:
    """What Lambda hands to a handler beside the event."""

    aws_request_id = "benchmark"
    function_name = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        """As if the call had just begun."""
        return 60_000


def first_call(name: str, event: str) -> None:
    """Import a function's handler and call it, with a value for each of its settings."""
    import json
    import os
    from importlib import import_module

    handler: Any = import_module(f"lambdas.{name}.handler")
    settings: Any = import_module(f"lambdas.{name}.settings").Settings
    for setting, kind in settings.__annotations__.items():
        os.environ[setting.upper()] = "60" if kind == "int" else "benchmark"
    handler.handler(json.loads(event), Context())


def alone(*services: str) -> None:
    """Make the same clients and ask for something."""
    client: Any = boto3.client
    clients = {service: client(service) for service in services}
    asked = next(service for service in QUESTIONS if service in clients)
    getattr(clients[asked], QUESTIONS[asked])()


def main(kind: str, *arguments: str) -> None:
    """Run one side up to its first request."""
    made: list[str] = []

    make: Any = boto3.client

    def noted(service: str, **options: Any) -> Any:
        made.append(service)
        return make(service, **options)

    def stop(**_: object) -> None:
        raise FirstRequest

    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register("before-send", stop)
    vars(boto3)["client"] = noted
    try:
        first_call(*arguments) if kind == "function" else alone(*arguments)
    except FirstRequest:
        milliseconds = 1000 * (time.process_time() - _BEGIN)
    else:
        raise RuntimeError("nothing was asked of AWS")
    import json

    sys.stdout.write("\n" + json.dumps({"milliseconds": milliseconds, "services": made}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
