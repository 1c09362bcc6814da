"""Strategies that SageMaker forbids, or would silently carry out otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract.releases import Inconclusive, Mode, Plan, Strategy, limit, refusals

ENDPOINT = Plan(strategy=Strategy.CANARY, mode=Mode.ENDPOINT)
GUARDED = Plan(
    strategy=Strategy.BLUE_GREEN,
    mode=Mode.ENDPOINT,
    bake_minutes=30,
    on_inconclusive=Inconclusive.PROMOTE,
)


@pytest.mark.parametrize("strategy", [each for each in Strategy if each is not Strategy.BLUE_GREEN])
def test_an_endpoint_with_instances_takes_every_strategy(strategy: Strategy) -> None:
    assert list(refusals(replace(ENDPOINT, strategy=strategy))) == []
    assert list(refusals(replace(ENDPOINT, strategy=strategy, instances=1))) == []


def test_guardrails_are_for_who_needs_no_more_of_them() -> None:
    assert list(refusals(GUARDED)) == []


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (replace(GUARDED, instances=1), "the smallest part of the endpoint is all of it"),
        (replace(GUARDED, bake_minutes=61), "SageMaker bakes 60 minutes at most, not 61"),
        (replace(GUARDED, on_inconclusive=Inconclusive.HOLD), "cannot wait"),
        (replace(GUARDED, instance_type="ml.inf1.xlarge"), "falls back to all at once without a word"),
        (replace(ENDPOINT, strategy=Strategy.SHADOW, capture_percent=20), "set it to 100"),
        (
            replace(ENDPOINT, strategy=Strategy.SHADOW, instance_type="ml.inf1.xlarge"),
            "no shadow variants on ml.inf1.xlarge",
        ),
        *[
            (replace(ENDPOINT, mode=Mode.SERVERLESS, strategy=strategy), says)
            for strategy, says in (
                (Strategy.CANARY, "a serverless endpoint has one variant"),
                (Strategy.LINEAR, "a serverless endpoint has one variant"),
                (Strategy.AB, "a serverless endpoint has one variant"),
                (Strategy.SHADOW, "no shadow variants for serverless"),
                (Strategy.BLUE_GREEN, "guardrails are for endpoints with instances"),
            )
        ],
        *[
            (replace(ENDPOINT, mode=Mode.BATCH, strategy=strategy), "has no endpoint")
            for strategy in (Strategy.CANARY, Strategy.LINEAR, Strategy.AB, Strategy.BLUE_GREEN)
        ],
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.mode}-{value.strategy}",
)
def test_each_forbidden_combination_is_one_sentence_that_says_what_to_do(plan: Plan, says: str) -> None:
    [sentence] = refusals(plan)
    assert says in sentence
    assert sentence.startswith(f'strategy = "{plan.strategy}": ')


@pytest.mark.parametrize("mode", [Mode.SERVERLESS, Mode.BATCH])
def test_every_model_can_be_released_all_at_once(mode: Mode) -> None:
    assert list(refusals(Plan(strategy=Strategy.ALL_AT_ONCE, mode=mode))) == []
    if mode is Mode.BATCH:
        assert list(refusals(Plan(strategy=Strategy.SHADOW, mode=mode))) == []


@pytest.mark.parametrize(("text", "value"), [("<= 5%", 0.05), ("<=0.05", 0.05), (" <= 12.5 % ", 0.125)])
def test_a_limit_is_a_share_or_a_percentage(text: str, value: float) -> None:
    assert limit(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["5%", ">= 5%", "<= five", "<= -1", ""])
def test_what_is_no_upper_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an upper limit such as '<= 5%'"):
        limit(text)
