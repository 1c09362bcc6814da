"""A serverless variant: its server runs while somebody asks, and is started by whoever asks first."""

from __future__ import annotations

import threading
import time
from typing import Any

from local.sagemaker.endpoints.server import ModelServer
from local.sagemaker.errors import ServiceError

IDLE_SECONDS = 15.0
"""After which a server that nobody asks is ended. SageMaker does not say how long it waits."""
_STARTUP_SECONDS = 120.0


class ServerlessServer(ModelServer):
    """One process answers up to MaxConcurrency requests at a time; without requests there is none."""

    max_body_bytes = 4 * 1024 * 1024

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._concurrency: int = self.variant["ServerlessConfig"]["MaxConcurrency"]
        self._waking = threading.Lock()
        self._timer: threading.Timer | None = None

    def acquire(self) -> None:
        """As of any server, but for the requests that are too many.

        Raises:
            ServiceError: as many as may be are in work.
        """
        with self._idle:
            if self._busy >= self._concurrency:
                raise ServiceError("ThrottlingException", "Too many concurrent invocations.", 429)
            self._busy += 1
            self._postpone()

    def start(self) -> None:
        super().start()
        with self._idle:
            self._postpone()

    def release(self) -> None:
        super().release()
        with self._idle:
            self._postpone()

    def wake(self) -> float:
        """Start the process where it sleeps, and wait until it is healthy. Seconds that took."""
        with self._waking:
            if not self.sleeping:
                return 0.0
            started = time.perf_counter()
            self.start()
            self.wait_until_healthy(_STARTUP_SECONDS)
            return time.perf_counter() - started

    def stop(self) -> None:
        with self._idle:
            if self._timer is not None:
                self._timer.cancel()
        super().stop()

    def _postpone(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(IDLE_SECONDS, self._sleep_if_idle)
        self._timer.daemon = True
        self._timer.start()

    def _sleep_if_idle(self) -> None:
        with self._waking:
            with self._idle:
                idle = self._busy == 0
            if idle:  # whoever comes now wakes it again
                self.sleep()
