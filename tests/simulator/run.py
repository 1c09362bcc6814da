"""Two weeks in an account, drawn from a seed: what people and AWS do, and what was left at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from random import Random

from tests.simulator.clock import DAY, HOUR, MINUTE, START
from tests.simulator.faults import Chances, Plan
from tests.simulator.law import Violation
from tests.simulator.models import Models
from tests.simulator.s3 import Version
from tests.simulator.tables import Upload, draw_upload
from tests.simulator.wire import Refusal, Request, denial
from tests.simulator.world import Outage, World, simulated

POISON = ("not JSON", "[]", "{}", '{"source": "aws.s3", "detail-type": "Object Created", "detail": {}}')
"""Messages that tell of no upload and are no event: nothing but a person can put them right."""
REDRIVES = 12
"""How often at most a person sends dead letters back before the simulation calls them lost."""
EVERY = 15 * MINUTE
"""Between two runs of reconciliation, where environments.toml says nothing else."""
WHOLE_PASSES = 2
"""Ends of passes in a row: the first one's beginning may have been before all else was over."""
LONG_SHARE = 0.01
FOLDERS = ("", "week 1/", "a+b/", "100%/", "größe/", "a//b/", "x" * 900 + "/")


@dataclass
class Report:
    """What became of the uploads of one world, or of several together."""

    uploads: int = 0
    scored: int = 0
    rows: int = 0
    rejected: int = 0
    mixed: int = 0
    requests: int = 0
    lost_events: int = 0
    left_over: int = 0
    violations: list[Violation] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def count(self, kind: str) -> int:
        """How many violations there are of a kind."""
        return sum(violation.kind == kind for violation in self.violations)

    @property
    def unscorable(self) -> int:
        return sum(self.reasons.values())


def simulate(
    models: Models, contract: Path, *, seed: str, uploads: int, faults: float, long_share: float = LONG_SHARE
) -> Report:
    """Run one world to its end and check the law."""
    random = Random(seed)
    plan = Plan(Chances(seed), faults)
    world = World(models, random, plan)
    report = Report()
    with simulated(world, contract):
        _plan_uploads(world, report, uploads=uploads, faults=faults, long_share=long_share)
        if faults:
            _plan_trouble(world)
        for moment in _schedule():
            world.at(START + moment, world.reconcile)
        world.at(START + 13 * DAY, world.redrive)
        world.at(START + 13 * DAY, lambda: _reconcile_to_the_end(world))
        world.run()
        for _ in range(REDRIVES):
            if all(message.body in POISON for message in world.dead_letters.messages.values()):
                break
            world.redrive()
            world.run()
        verdict = world.check()
    report.violations = verdict.violations
    report.scored, report.rows, report.rejected = verdict.scored, verdict.rows, verdict.rejected
    report.mixed, report.reasons, report.happened = verdict.mixed, verdict.reasons, world.happened
    report.faults = Counter({str(fault): times for fault, times in plan.happened.items()})
    report.requests = plan.requests
    report.left_over = sum(m.body not in POISON for m in world.dead_letters.messages.values())
    return report


def _schedule() -> Iterator[float]:
    """When reconciliation runs: more rarely than it really does, since most of it finds nothing."""
    yield from (hours * HOUR for hours in range(12, 72, 3))
    yield from (hours * HOUR for hours in range(72, 13 * 24, 12))
    yield from (13 * DAY, 13 * DAY)


def _reconcile_to_the_end(world: World, passes: int = 0) -> None:
    """Let the schedule go on as often as it really does until a whole pass finds nothing, or two weeks are over."""
    said = world.reconcile()
    if said and (said["put_back"] or said["without_outcome"]):
        passes = 0
    elif said and said["complete"]:
        passes += 1
    if passes < WHOLE_PASSES and world.clock.now < START + 14 * DAY:
        world.at(world.clock.now + EVERY, lambda: _reconcile_to_the_end(world, passes))


def _plan_uploads(world: World, report: Report, *, uploads: int, faults: float, long_share: float) -> None:
    random = world.random
    for number in range(uploads):
        name = f"shared {random.randint(0, 9)}" if random.random() < 0.1 else f"{number}"
        upload = draw_upload(random, name, long=random.random() < long_share)
        key = f"score/{random.choice(FOLDERS)}{upload.name}"
        lost = random.random() < faults / 5
        report.uploads += 1
        report.lost_events += lost
        delays = () if lost else tuple(_draw_delay(random) for _ in range(1 + (random.random() < faults / 2)))
        _at(world, random.uniform(0, 1.5 * DAY), upload, key, delays)


def _at(world: World, moment: float, upload: Upload, key: str, delays: tuple[float, ...]) -> None:
    fate, retry = world.random.random(), world.random.expovariate(1 / HOUR)

    def put() -> None:
        version = world.upload(upload, key, delays=delays)
        if fate < 0.03:
            world.at(world.clock.now + retry, lambda: world.remove(version))
        elif fate < 0.06:
            world.at(world.clock.now + retry, lambda: _hide(world, version))

    world.at(START + moment, put)


def _hide(world: World, version: Version) -> None:
    """Its owner deletes an upload as most tools do: its versions stay."""
    world.data.put(version.key, None)


def _draw_delay(random: Random) -> float:
    if random.random() < 0.8:
        return random.expovariate(1)
    return random.expovariate(1 / random.choice((MINUTE, HOUR, 20 * HOUR)))


def _plan_trouble(world: World) -> None:
    random = world.random
    for body in random.sample(POISON, 2):
        world.at(START + random.uniform(0, DAY), lambda body=body: world.queue.send(body))  # type: ignore[misc]
    for _ in range(5):
        world.at(START + random.uniform(0, 1.5 * DAY), world.release)
    for outage in random.sample(OUTAGES, 2):
        start = START + random.uniform(0, DAY)
        world.outages.append((start, start + random.uniform(HOUR, 5 * HOUR), outage))


def _endpoint_is_gone(request: Request) -> Refusal | None:
    if request.operation != "InvokeEndpoint":
        return None
    return Refusal(400, "ValidationError", "Endpoint sim of account 1 not found.")


def _endpoint_is_overloaded(request: Request) -> Refusal | None:
    return Refusal(503, "ServiceUnavailable", "later") if request.operation == "InvokeEndpoint" else None


def _results_are_denied(request: Request) -> Refusal | None:
    return denial(request) if request.bucket == "results" and request.operation == "PutObject" else None


def _uploads_are_denied(request: Request) -> Refusal | None:
    return denial(request) if request.bucket == "data" else None


def _key_is_disabled(request: Request) -> Refusal | None:
    if request.operation not in ("GetObject", "PutObject"):
        return None
    return Refusal(400, "KMS.DisabledException", "The key is disabled")


OUTAGES: tuple[Outage, ...] = (
    *(_endpoint_is_gone, _endpoint_is_overloaded, _results_are_denied, _uploads_are_denied, _key_is_disabled),
)
