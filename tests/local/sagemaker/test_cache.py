"""How long a step's results may be reused, and what makes two steps the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local.sagemaker.errors import ServiceError
from local.sagemaker.pipelines.cache import Cache, Hit, check, expiry
from local.sagemaker.state import now


def step(kind: str = "Processing", **cache: Any) -> dict[str, Any]:
    return {"Name": "prepare", "Type": kind, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D", **cache}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", timedelta(days=30)),
        ("p30d", timedelta(days=30)),
        ("30d", timedelta(days=30)),
        ("P4DT12H", timedelta(days=4, hours=12)),
        ("T16m", timedelta(minutes=16)),
        ("5y", timedelta(days=5 * 365)),
        ("P2W", timedelta(days=14)),
    ],
)
def test_durations_as_aws_writes_them(text: str, expected: timedelta) -> None:
    assert expiry(step(ExpireAfter=text)) == expected


def test_only_some_types_of_steps_can_be_reused() -> None:
    check(step())
    check({**step("RegisterModel"), "CacheConfig": {"Enabled": False}})
    with pytest.raises(ServiceError, match="not supported by steps of type RegisterModel"):
        check(step("RegisterModel"))


def test_where_results_go_is_no_part_of_what_a_step_is() -> None:
    cache = Cache()
    hit = Hit(execution_arn="arn:1", ended=now(), outputs={}, metadata={})
    asked = {"Environment": {"A": "1"}, "ProcessingOutputConfig": {"Outputs": ["runs/1"]}}
    cache.keep(step(), asked, hit)
    assert cache.find(step(), {**asked, "ProcessingOutputConfig": {"Outputs": ["runs/2"]}}) == hit
    assert cache.find(step(), {**asked, "Environment": {"A": "2"}}) is None
    assert cache.find({**step(), "Name": "validate"}, asked) is None
    assert cache.find({**step(), "CacheConfig": {"Enabled": False}}, asked) is None


def test_of_a_search_the_definition_counts_but_for_its_output_and_environment() -> None:
    cache = Cache()
    hit = Hit(execution_arn="arn:1", ended=now(), outputs={}, metadata={})

    def asked(**definition: Any) -> dict[str, Any]:
        return {"HyperParameterTuningJobConfig": {"RandomSeed": 7}, "TrainingJobDefinition": definition}

    cache.keep(step("Tuning"), asked(InputDataConfig=["a"], OutputDataConfig="runs/1"), hit)
    assert cache.find(step("Tuning"), asked(InputDataConfig=["a"], OutputDataConfig="runs/2")) == hit
    assert cache.find(step("Tuning"), asked(InputDataConfig=["b"], OutputDataConfig="runs/1")) is None


def test_what_ended_too_long_ago_is_not_reused() -> None:
    cache = Cache()
    cache.keep(
        step(), {}, Hit(execution_arn="arn:1", ended=now() - timedelta(hours=25), outputs={}, metadata={})
    )
    assert cache.find(step(), {}) is None
    assert cache.find(step(ExpireAfter="P2D"), {}) is not None
