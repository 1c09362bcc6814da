"""The contract document: what is written is what is read, in the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.schema import Contract, ContractError, Feature, Target, Training

AGE = Feature(name="age", type="number", minimum=0, maximum=120, missing=("?",))
SEX = Feature(name="sex", type="category", values=("f", "m"), required=True)
JOINED = Feature(name="joined", type="datetime")
CONTRACT = Contract(
    model="income",
    problem="binary",
    target=Target(name="salary", positive=">50K"),
    features=(SEX, JOINED, AGE),
    sensitive=("sex",),
    training=Training(parameters={"max_depth": 3}),
)

names = st.text(min_size=1, max_size=10)
features = st.builds(
    Feature,
    name=names,
    type=st.sampled_from(("number", "category", "datetime")),
    required=st.booleans(),
    missing=st.lists(names, max_size=3).map(tuple),
    minimum=st.none() | st.floats(allow_nan=False),
    maximum=st.none() | st.floats(allow_nan=False),
    values=st.none() | st.lists(names, max_size=3).map(tuple),
)
contracts = st.builds(
    Contract,
    model=names,
    problem=st.sampled_from(("binary", "multiclass", "regression")),
    target=st.builds(Target, name=names, positive=st.none() | names),
    features=st.lists(features, max_size=5).map(tuple),
    description=st.text(),
    row_id=st.none() | names,
    sensitive=st.lists(names, max_size=2).map(tuple),
    training=st.builds(Training, parameters=st.dictionaries(names, st.integers() | st.booleans())),
)


@given(contracts)
def test_a_contract_survives_its_document(contract: Contract) -> None:
    document = contract.to_json()
    assert Contract.from_json(document) == contract
    assert Contract.from_json(document.encode()).to_json() == document


def test_a_contract_of_before_gates_were_apart_is_read() -> None:
    document = {**json.loads(CONTRACT.to_json()), "gates": {"roc_auc": ">= 0.9"}}
    assert Contract.from_json(json.dumps(document)) == CONTRACT


def test_equal_contracts_have_equal_digests_whatever_their_order() -> None:
    parameters = {"max_depth": 3, "max_iter": 9}
    one, other = (
        replace(CONTRACT, training=Training(parameters=dict(given)))
        for given in (parameters.items(), reversed(parameters.items()))
    )
    assert one.digest == other.digest
    assert one.digest != CONTRACT.digest


def test_features_keep_the_contracts_order_within_their_kind() -> None:
    assert CONTRACT.feature_names == ("sex", "joined", "age")
    assert CONTRACT.numeric == (JOINED, AGE)
    assert CONTRACT.categorical == (SEX,)


def _without(key: str) -> str:
    document = json.loads(CONTRACT.to_json())
    del document[key]
    return json.dumps(document)


@pytest.mark.parametrize("key", ["format", "model", "target", "features", "training"])
def test_a_document_that_lacks_a_field_is_refused(key: str) -> None:
    with pytest.raises(ContractError):
        Contract.from_json(_without(key))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '{"format": 2, "unknown": 2}'])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        Contract.from_json(text)


def test_another_format_says_what_to_do() -> None:
    text = CONTRACT.to_json().replace('"format": 2', '"format": 1')
    with pytest.raises(ContractError, match="redeploy and retrain"):
        Contract.from_json(text)
