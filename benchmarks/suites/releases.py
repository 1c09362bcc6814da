"""The judge of releases, on simulated traffic: how often it is wrong, and how long it takes to be right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.report import console, machine, table
from releasing import value_counts
from releasing.judge import Judge, Judgement, Rules, Tally
from releasing.verdicts import Verdict

EXPECTED = (0.1,) * 10
"""The distribution of predictions over the bins of the baseline, which are its tenths."""
_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What one version does: rates of errors, slow answers and rejected rows, and its predictions' shift.

    `shifted` is the share of predictions that move to the last three bins.
    """

    errors: float = 0.002
    slow: float = 0.05
    rejected: float = 0.01
    shifted: float = 0.0

    @property
    def predictions(self) -> NDArray[np.float64]:
        kept = np.array(EXPECTED) * (1 - self.shifted)
        kept[-3:] += self.shifted / 3
        return kept


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A release: traffic of so many requests a minute, of which the candidate gets a share."""

    name: str
    candidate: Rates
    live: Rates = Rates()
    requests: float = 200
    share: float = 0.1
    minutes: int = 480

    def traffic(self, rng: np.random.Generator) -> Iterator[tuple[Tally, Tally]]:
        """Both versions' tallies, minute by minute."""
        for requests in rng.poisson(self.requests, self.minutes):
            taken = int(rng.binomial(requests, self.share))
            yield (
                _tally(rng, taken, self.candidate),
                _tally(rng, int(requests) - taken, self.live),
            )


def _tally(rng: np.random.Generator, requests: int, rates: Rates) -> Tally:
    return Tally(
        requests=requests,
        errors=int(rng.binomial(requests, rates.errors)),
        slow=int(rng.binomial(requests, rates.slow)),
        rejected=value_counts.events(requests, int(rng.binomial(requests, rates.rejected))),
        predictions=rng.multinomial(requests, rates.predictions).tolist(),
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one release ended: the last judgement, and after how many minutes it came."""

    judgement: Judgement
    minutes: int

    @property
    def verdict(self) -> Verdict:
        return self.judgement.verdict


def run(scenario: Scenario, seed: int, *, until: Sequence[Verdict] = (Verdict.FAIL,)) -> Outcome:
    """One release, looked at every minute until one of these verdicts, or to its end."""
    rng, judge = np.random.default_rng(seed), Judge(Rules(expected=EXPECTED))
    minutes = 0
    for candidate, live in scenario.traffic(rng):
        judge.add(candidate, live)
        minutes += 1
        judgement = judge.judge()
        if judgement.verdict in until:
            break
    return Outcome(judgement=judgement, minutes=minutes)


def outcomes(scenario: Scenario, trials: int, *, until: Sequence[Verdict] = (Verdict.FAIL,)) -> list[Outcome]:
    """Many releases of one kind, the same ones each time."""
    return [run(scenario, _SEED + trial, until=until) for trial in range(trials)]


def share(found: Sequence[Outcome], verdict: Verdict, within: float = float("inf")) -> float:
    """The share of releases that ended so, within so many minutes."""
    return sum(each.verdict is verdict and each.minutes <= within for each in found) / len(found)


SCENARIOS = (
    Scenario(name="no difference", candidate=Rates()),
    Scenario(name="no difference, 2% errors", candidate=Rates(errors=0.02), live=Rates(errors=0.02)),
    Scenario(name="no difference, 5% rejected", candidate=Rates(rejected=0.05), live=Rates(rejected=0.05)),
    Scenario(name="errors ×2", candidate=Rates(errors=0.004)),
    Scenario(name="errors ×3", candidate=Rates(errors=0.006)),
    Scenario(name="errors ×10", candidate=Rates(errors=0.02)),
    Scenario(name="20% errors", candidate=Rates(errors=0.2)),
    Scenario(name="only errors", candidate=Rates(errors=1.0)),
    Scenario(name="only errors, 5 requests a minute", candidate=Rates(errors=1.0), requests=5),
    Scenario(name="slow answers ×3", candidate=Rates(slow=0.15)),
    Scenario(name="every answer slow", candidate=Rates(slow=1.0)),
    Scenario(name="rejected rows ×3", candidate=Rates(rejected=0.03)),
    Scenario(name="30% of predictions shifted", candidate=Rates(shifted=0.3)),
    Scenario(name="half of predictions shifted", candidate=Rates(shifted=0.5)),
)


def releases(
    trials: Annotated[int, typer.Option(help="Releases of each kind.", min=10)] = 200,
) -> None:
    """How often and how fast the judge is right, on simulated traffic with a tenth to the candidate."""
    console.print(f"{trials} releases of each kind, looked at each minute for 8 hours, on {machine()}")
    shown = table("Candidates", "candidate", "failed", "median minutes", "95 of 100 within")
    for scenario in SCENARIOS:
        found = outcomes(scenario, trials)
        failed = sorted(each.minutes for each in found if each.verdict is Verdict.FAIL)
        times = [f"{median(failed):.0f}", f"{np.percentile(failed, 95):.0f}"] if failed else ["", ""]
        shown.add_row(scenario.name, f"{len(failed) / trials:.1%}", *times)
    console.print(shown)
    healthy = outcomes(SCENARIOS[0], trials, until=(Verdict.FAIL, Verdict.PASS))
    passed = [each.minutes for each in healthy if each.verdict is Verdict.PASS]
    console.print(
        f"A healthy candidate at 0.2% errors: {share(healthy, Verdict.PASS, within=60):.1%} pass within "
        f"the hour, half of them within {median(passed):.0f} minutes; "
        f"{share(healthy, Verdict.FAIL):.1%} fail, the others pass later."
    )
