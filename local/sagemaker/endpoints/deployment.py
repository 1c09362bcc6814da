"""One update of an endpoint: from the fleet that serves to a new one, and back where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from local.sagemaker.endpoints.baking import Baking
from local.sagemaker.endpoints.deployment_policy import Counts, Policy
from local.sagemaker.endpoints.fleet import Fleet
from local.sagemaker.endpoints.hosting import Hosted
from local.sagemaker.endpoints.server import UnhealthyError
from local.sagemaker.state import State


class RollbackFailedError(Exception):
    """A rolling update failed, and so did its rollback: both fleets serve. The message is the reason."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Shifts an endpoint from `hosted.current` to a new fleet."""

    state: State
    hosted: Hosted
    new: Fleet
    policy: Policy
    baking: Baking
    changed: Callable[[], None]
    """Called at each change of the status of a variant."""

    def run(self) -> list[Fleet]:
        """Shift all traffic to the new fleet. Those that served before are returned: they have none any more.

        Raises:
            UnhealthyError, RollbackError: the update is to be taken back by `roll_back`.
        """
        self.baking.start()
        with self.state.lock:
            self.hosted.incoming = self.new
        if self.policy.rolling and self.hosted.current is not None:
            self._roll(self.hosted.current)
        else:
            self._blue_green()
        with self.state.lock:
            old = self.hosted.settled
            self.hosted.settle(self.new)
        return old

    def roll_back(self) -> None:
        """Shift all traffic back to what served before, and end the new fleet.

        Raises:
            RollbackFailedError: the old fleet is not whole any more, and cannot be made so.
        """
        old, mixed = self.hosted.current, self.hosted.mixed
        if old is not None and self.policy.rolling:
            self._restore(old)
        with self.state.lock:
            self.hosted.settle(old, mixed=mixed)
        self.new.drain()
        self.new.stop()

    def _blue_green(self) -> None:
        self._mark_launching(self.new.counts)
        self.new.scale()
        for active in self.policy.steps(self.new.counts):
            self._activate(active)
            if self.hosted.current is not None:
                self._bake(self.policy.wait_seconds, "WaitIntervalInSeconds", active)
        if self.hosted.current is not None and self.policy.termination_seconds:
            self._bake(self.policy.termination_seconds, "TerminationWaitInSeconds", self.new.counts)

    def _roll(self, old: Fleet) -> None:
        before = old.counts
        for active in self.policy.steps(self.new.counts):
            self._mark_launching(active)
            self.new.scale(active)
            self._activate(active)
            self._bake(self.policy.wait_seconds, "WaitIntervalInSeconds", active)
            left = {name: _left(count, active[name], self.new.counts[name]) for name, count in before.items()}
            if any(left.values()):  # the last of them end with their fleet
                self._mark_ending(old, left)
                old.scale(left)

    def _activate(self, active: Counts) -> None:
        self._mark_active("ActivatingTraffic", "Activating traffic", active)
        with self.state.lock:
            self.hosted.shift(active)

    def _bake(self, seconds: int, member: str, active: Counts) -> None:
        self._mark_active("Baking", f"Baking for {seconds} seconds ({member}) with traffic enabled", active)
        self.baking.wait(seconds)

    def _mark_active(self, status: str, what: str, active: Counts) -> None:
        partial = {"CANARY": "canary"}.get(self.policy.type, "batch")
        capacity = "full" if active == self.new.counts else partial
        for name, variant in self.new.variants.items():
            variant.mark(status, f"{what} on {capacity} capacity of {active[name]} instance(s).")
        self.changed()

    def _restore(self, old: Fleet) -> None:
        """Start again what a rolling update has ended of the old fleet."""
        try:
            for counts in self.policy.steps_back(old.counts, old.running):
                old.scale(counts)
        except UnhealthyError as error:
            with self.state.lock:
                self.hosted.settle(old, mixed=self.new)
            raise RollbackFailedError(str(error)) from error

    def _mark_launching(self, wanted: Counts) -> None:
        for name, variant in self.new.variants.items():
            variant.mark("Creating", f"Launching {wanted[name] - len(variant.servers)} instance(s).")
        self.changed()

    def _mark_ending(self, old: Fleet, left: Counts) -> None:
        for name, variant in old.variants.items():
            variant.mark("Deleting", f"Terminating {len(variant.servers) - left[name]} instance(s).")
        self.changed()


def _left(instances: int, active: int, total: int) -> int:
    """How many of the old instances stay when `active` of `total` new ones have traffic; not too few."""
    return -(-instances * (total - active) // total)
