from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from contract import layout

keys = st.text(st.characters(codec="utf-8"), min_size=1, max_size=1100).filter(
    lambda k: len(k.encode()) <= 1000
)
versions = st.text("abcdefghijklmnopqrstuvwxyz0123456789._", min_size=1, max_size=64)


def test_results_lie_under_the_uploads_name_and_version() -> None:
    assert layout.scored_key("score/a/b.csv", "v1") == "scored/a/b.csv/v1.csv"
    assert layout.unscorable_key("score/a/b.csv", "v1") == "unscorable/a/b.csv/v1.json"


@given(keys, versions)
def test_result_keys_fit_in_s3_and_end_as_they_should(key: str, version: str) -> None:
    for made, ending in (
        (layout.scored_key("score/" + key, version), f"/{version}.csv"),
        (layout.unscorable_key("score/" + key, version), f"/{version}.json"),
    ):
        assert len(made.encode()) <= layout.MAX_KEY_BYTES
        assert made.endswith(ending)


@given(keys, versions, st.sampled_from(["csv", "jsonl", "parquet", "parquet.gz"]))
def test_a_result_of_any_extension_begins_as_is_known_beforehand(
    key: str, version: str, extension: str
) -> None:
    made = layout.scored_key("score/" + key, version, extension)
    assert made == layout.scored_stem("score/" + key, version) + extension
    assert len(made.encode()) <= layout.MAX_KEY_BYTES


@given(keys, keys, versions)
def test_two_uploads_never_share_a_result(one: str, other: str, version: str) -> None:
    same = layout.scored_key("score/" + one, version) == layout.scored_key("score/" + other, version)
    assert same == (one == other)


def test_long_keys_with_a_common_beginning_stay_apart() -> None:
    one, other = ("score/" + "é" * 500 + ending for ending in ("a.csv", "b.csv"))
    assert layout.scored_key(one, "v" * 40) != layout.scored_key(other, "v" * 40)


def test_a_dataset_versions_objects_lie_under_it() -> None:
    assert layout.manifest_key("d1") == "datasets/d1/manifest.json"
    assert layout.dataset_data_prefix("d1") == "datasets/d1/data/"


def test_a_run_is_one_of_dataset_of_what_makes_it_and_of_what_it_repeats() -> None:
    made = (("d", "c"), ("c", "d"), ("d", "c", "k"))
    names = {layout.run_id(*parts, repeated=before) for parts in made for before in ("", "execution")}
    assert len(names) == 6
    assert layout.run_id("d", "c") in names
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in names), "fits a ClientRequestToken"


def test_a_runs_documents_lie_under_it() -> None:
    assert layout.parameters_key("r") == "runs/r/parameters.json"
    assert layout.started_key("r") == "runs/r/started.json"


def test_what_runs_are_started_with_is_named_by_what_it_is() -> None:
    assert layout.contract_prefix("c0de") == "contracts/c0de/"
    assert layout.champion_prefix("", "") == "champions/nobody/"
    of = {layout.champion_prefix(arn, uri) for arn in ("arn:1", "arn:2") for uri in ("s3://a", "s3://b")}
    assert len(of) == 4
    assert layout.champion_prefix("arn:1", "s3://a") in of
