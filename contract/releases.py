"""How a release reaches the traffic: strategies, and what SageMaker allows of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Strategy(StrEnum):
    """`environments.toml`, `[<environment>.release]`, key `strategy`."""

    ALL_AT_ONCE = "all_at_once"
    CANARY = "canary"
    """A share of the requests, by the weight of a second variant, and then all."""
    LINEAR = "linear"
    """The same in several steps, each judged."""
    BLUE_GREEN = "blue_green"
    """SageMaker's own canary: half of the instances or less, taken back by an alarm on the verdict."""
    SHADOW = "shadow"
    """The candidate gets copies, and answers nobody."""
    AB = "ab"
    """Two versions at stated shares for a stated time."""


class Mode(StrEnum):
    """How a model serves: `[serving] mode`."""

    ENDPOINT = "endpoint"
    SERVERLESS = "serverless"
    BATCH = "batch"


class Inconclusive(StrEnum):
    """What is done when the ceiling of a bake is reached without a verdict."""

    HOLD = "hold"
    ROLL_BACK = "roll_back"
    PROMOTE = "promote"


BY_WEIGHT = (Strategy.CANARY, Strategy.LINEAR, Strategy.AB)
"""Strategies that need a second variant."""
MAX_GUARDRAIL_WAIT_SECONDS = 3600
"""SageMaker's guardrails bake a step for no longer."""
SILENTLY_ALL_AT_ONCE = ("ml.inf1.",)
"""Instances whose endpoints fall back to all-at-once without a word (its exclusions)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What of a model's and an environment's settings decides whether a strategy is possible."""

    strategy: Strategy
    mode: Mode
    instance_type: str = "ml.m5.large"
    instances: int = 2
    """The fewest that autoscaling leaves."""
    capture_percent: int = 100
    bake_minutes: float = 60
    on_inconclusive: Inconclusive = Inconclusive.HOLD


def refusals(plan: Plan) -> Iterator[str]:
    """Why SageMaker cannot release so, or would silently do something else: a sentence each."""
    strategy = plan.strategy
    if plan.mode is Mode.SERVERLESS and strategy is not Strategy.ALL_AT_ONCE:
        why = {
            Strategy.BLUE_GREEN: "SageMaker's deployment guardrails are for endpoints with instances",
            Strategy.SHADOW: "SageMaker has no shadow variants for serverless endpoints",
        }.get(strategy, "a serverless endpoint has one variant, so it takes all of the requests or none")
        yield f'strategy = "{strategy}": {why}; use "all_at_once"'
        return
    if plan.mode is Mode.BATCH and strategy not in (Strategy.ALL_AT_ONCE, Strategy.SHADOW):
        yield (
            f'strategy = "{strategy}": a model that serves in batches has no endpoint with requests to '
            'share; use "all_at_once", or "shadow", which replays the last uploads'
        )
        return
    if strategy is Strategy.BLUE_GREEN:
        yield from _guardrails(plan)
    if strategy is Strategy.SHADOW and plan.mode is Mode.ENDPOINT:
        if plan.capture_percent < 100:
            yield (
                f'strategy = "shadow": answers are compared pair by pair, and capture_percent = '
                f"{plan.capture_percent} keeps both of a pair only by chance; set it to 100"
            )
        if plan.instance_type.startswith(SILENTLY_ALL_AT_ONCE):
            yield f'strategy = "shadow": SageMaker has no shadow variants on {plan.instance_type}'


def _guardrails(plan: Plan) -> Iterator[str]:
    if plan.instance_type.startswith(SILENTLY_ALL_AT_ONCE):
        yield (
            f'strategy = "blue_green": on {plan.instance_type} SageMaker falls back to all at once without '
            'a word; use "canary", which shares by weight'
        )
    if plan.instances < 2:
        yield (
            'strategy = "blue_green": with one instance the smallest part of the endpoint is all of it; set '
            'min_instances to 2 or more, or use "canary", which shares by weight'
        )
    if plan.bake_minutes * 60 > MAX_GUARDRAIL_WAIT_SECONDS:
        yield (
            f'strategy = "blue_green": SageMaker bakes {MAX_GUARDRAIL_WAIT_SECONDS // 60} minutes at most, '
            f'not {plan.bake_minutes:g}; bake for less, or use "canary"'
        )
    if plan.on_inconclusive is not Inconclusive.PROMOTE:
        yield (
            'strategy = "blue_green": SageMaker goes on after the bake, whatever is known by then: it cannot '
            'wait; set on_inconclusive = "promote", or use "canary"'
        )


_LIMIT = re.compile(r"\s*<=\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


def limit(text: str) -> float:
    """The number of an upper limit such as `"<= 5%"` or `"<= 0.05"`.

    Raises:
        ValueError: it is none.
    """
    match = _LIMIT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an upper limit such as '<= 5%'")
    return float(match[1]) / (100 if match[2] else 1)
