"""What is searched is said by model.toml, by the estimator built in, or beside a model's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.search import Range, Search, default_space
from infra.settings import SettingsError, load_model

MODEL = """
name = "shop"
problem = "binary"
[target]
name = "bought"
positive = "yes"
[features]
age = { type = "number" }
"""
TWO = "[training.search]\nmax_jobs = 2\n"
DEPTH = 'depth = { type = "integer", min = 1, max = 9 }'


def search(folder: Path, more: str, estimator: str = "") -> Search:
    model = folder / "models" / "shop"
    model.mkdir(parents=True, exist_ok=True)
    (model / "model.toml").write_text(MODEL + more)
    if estimator:
        (model / "estimator.py").write_text(estimator)
    return load_model(folder, "shop").contract().training.search


def test_without_a_search_nothing_of_it_is_in_the_contract(tmp_path: Path) -> None:
    assert search(tmp_path, "") == search(tmp_path, "[training.search]\nstrategy = 'Random'\n") == Search()


def test_a_built_in_estimator_has_a_space_less_what_is_fixed(tmp_path: Path) -> None:
    found = search(tmp_path, "[training.parameters]\nlearning_rate = 0.1\n" + TWO)
    known = default_space("hist-gradient-boosting")
    assert found.parameters == {name: r for name, r in known.items() if name != "learning_rate"}
    assert (found.objective, found.max_parallel_jobs) == ("roc_auc", 2)


def test_a_models_own_space_comes_before_any_other(tmp_path: Path) -> None:
    more = 'objective = "brier"\nmax_parallel_jobs = 9\n[training.search.parameters]\n' + DEPTH
    found = search(tmp_path, TWO + more)
    assert found.parameters == {"depth": Range(type="integer", minimum=1, maximum=9)}
    assert (found.objective, found.max_parallel_jobs) == ("brier", 2)


@pytest.mark.parametrize("annotation", ["", ": dict[str, object]"])
def test_an_own_estimators_space_stands_beside_it_and_is_not_run(tmp_path: Path, annotation: str) -> None:
    beside = (
        f"import not_installed\nSEARCH{annotation} = {{'kind': {{'type': 'category', 'values': ['a', 2]}}}}\n"
    )
    found = search(tmp_path, "[training]\nestimator = 'estimator:build'\n" + TWO, beside)
    assert found.parameters == {"kind": Range(type="category", values=("a", 2))}


@pytest.mark.parametrize(
    ("more", "beside", "expected"),
    [
        ("", "x = 1", "nothing to search of 'estimator:build'"),
        ("", "SEARCH = dict(a=1)", "SEARCH must be a literal, without calls or names"),
        ("", "SEARCH = {'a': {'type': 'number'}}", "[SEARCH.a] type: found 'number'; allowed: 'integer', 'float'"),
        ("", "SEARCH = {", "the estimator's module cannot be read"),
        ("objective = 'r2'\n", "", "[training.search] objective: found 'r2'; allowed: accuracy, precision"),
        ("max_job = 3\n", "", "[training.search] max_job: unknown key (did you mean \"max_jobs\"?)"),
        ("[training.parameters]\ndepth = 3\n[training.search.parameters]\n" + DEPTH, "",
         "[training.search.parameters] depth: found 3; allowed: a range here or a value in training.parameters"),
        ("[training.search.parameters]\na = { type = 'float', min = 0, max = 1, scale = 'log' }", "",
         '[training.search.parameters.a] min: found 0.0; allowed: more than 0 where scale = "log"'),
        ("[training.search.parameters]\na = { type = 'float', min = 1 }", "",
         "[training.search.parameters.a] min: found nothing; allowed: min and max"),
        ("[training.search.parameters]\na = { type = 'float', min = 1, max = 1 }", "",
         "[training.search.parameters.a] max: found 1.0; allowed: more than min"),
        ("[training.search.parameters]\na = { type = 'integer', min = 0.5, max = 1 }", "",
         "[training.search.parameters.a] type: found 'integer'; allowed: \"float\""),
        ("[training.search.parameters]\na = { type = 'category' }", "",
         "[training.search.parameters.a] values: found []; allowed: one or more values"),
        ("[training.search.parameters]\na = { type = 'category', values = [1], max = 3 }", "",
         "[training.search.parameters.a] max: found 3.0; allowed: nothing"),
        ("[training.search.parameters]\na = { type = 'integer', min = 1, max = 3, values = [1] }", "",
         "[training.search.parameters.a] values: found [1]; allowed: nothing"),
    ],
)  # fmt: skip
def test_a_wrong_search_says_where_and_what(tmp_path: Path, more: str, beside: str, expected: str) -> None:
    with pytest.raises(SettingsError) as error:
        search(tmp_path, "[training]\nestimator = 'estimator:build'\n" + TWO + more, beside)
    assert expected in str(error.value)
