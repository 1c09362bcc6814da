"""Settings files that are right are read; those that are wrong say where, what, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer

from contract.checks import Rule, default_rules
from contract.schema import Contract, Time
from infra.settings import SettingsError, load_environment, load_model

MODEL = """
name = "shop"
problem = "binary"
[target]
name = "bought"
positive = "yes"
[features]
age = { type = "number", min = 0, max = 120 }
city = { type = "category", values = ["Oslo", "Rome"] }
joined = { type = "datetime" }
"""
ENVIRONMENT = """
[dev]
account = "111122223333"
region = "eu-west-1"
approval = "manual"
[dev.paging]
emails = ["oncall@example.com"]
"""


def complaint(root: Path, *, model: str = MODEL, environment: str = ENVIRONMENT) -> str:
    folder = root / "models" / "shop"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(model)
    (root / "environments.toml").write_text(environment)
    for load in (lambda: load_model(root, "shop"), lambda: load_environment(root, "dev")):
        try:
            load()
        except SettingsError as error:
            return str(error)
    pytest.fail("nothing was complained of")


def test_the_tumor_model_is_scikit_learns_table(root: Path) -> None:
    contract = load_model(root, "tumor").contract()
    assert contract.feature_names == tuple(
        name.replace(" ", "_") for name in load_breast_cancer().feature_names
    )
    assert (contract.target.name, contract.target.positive) == ("diagnosis", "malignant")


def test_a_model_compiles_to_a_contract_that_reads_back(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "shop"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(MODEL + '[gates]\nroc_auc = ">= 0.9"\n[row_id]\nname = "id"\n')
    model = load_model(tmp_path, "shop")
    contract = model.contract()
    assert Contract.from_json(contract.to_json()) == contract
    age, city, joined = contract.features
    assert (age.minimum, age.maximum, city.values, joined.type) == (0, 120, ("Oslo", "Rome"), "datetime")
    assert (contract.row_id, model.gates) == ("id", {"roc_auc": ">= 0.9"})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('problem = "binary"', 'problem = "binry"', "model.toml: problem: found 'binry'; allowed: 'binary',"),
        ('problem = "binary"', "", "model.toml: problem: missing; allowed: 'binary'"),
        ('name = "shop"', 'name = "Shop"', "name: found 'Shop'; allowed: match pattern"),
        ('name = "shop"', 'name = "store"', """name: found 'store'; allowed: 'shop', its folder's name"""),
        ("[features]", "[training.parameters]\ncategorical_features = [1]\n[features]", "[training.parameters] categorical_features: found [1]; allowed: no such key"),
        ("min = 0", "minn = 0", '[features.age] minn: unknown key (did you mean "min"?); allowed: type,'),
        ("min = 0", 'min = "0"', "[features.age] min: found '0'; allowed: a number"),
        ("min = 0", "min = 121", "[features.age] max: found 120.0; allowed: at least min, which is 121"),
        ('"datetime"', '"datetime", max = 3', '[features.joined] max: found 3.0; allowed: nothing: only type = "number"'),
        ('"datetime"', '"datetime", values = ["a"]', "[features.joined] values: found ['a']; allowed: nothing"),
        ('["Oslo", "Rome"]', '["Oslo", "Oslo"]', "[features.city] values: found ['Oslo', 'Oslo']; allowed: one or"),
        ('["Oslo", "Rome"]', "[]", "[features.city] values: found []; allowed: one or more values"),
        ('"datetime"', '"date"', "[features.joined] type: found 'date'; allowed: 'number', 'category', 'datetime' or 'text'"),
        ('positive = "yes"', "", "[target] positive: found nothing; allowed: the value of the target"),
        ('problem = "binary"', 'problem = "regression"', "[target] positive: found 'yes'; allowed: nothing"),
        ("[features]", "[features]\nbought = { type = 'number' }", "[features] bought: found 'bought'; allowed: any column"),
        ("[features]", "[features]\nprediction = { type = 'number' }", "[features] prediction: found 'prediction'"),
        ("[features]", "[row_id]\nname = 'age'\n[features]", "[row_id] name: found 'age'; allowed: a column that is"),
        ("[features]", "[fairness]\nsensitive = ['cty']\n[features]", "[fairness] sensitive: found 'cty'; allowed:"),
        ("[features]", "[fairness]\nsensitive = ['note']\n[features]\nnote = { type = 'text' }", "any type but text"),
        ("[features]", "[gates]\nauc = '> 1'\n[features]", "[gates] auc: unknown metric of a binary problem"),
        ("[features]", "[gates]\nf1 = '0.9'\n[features]", "[gates] f1: found '0.9'; allowed: a condition"),
        ("[features]", "[gates]\nf1 = 'not worse'\n[features]", "[gates] f1: found 'not worse'; allowed: a condition"),
        ("[features]", "[gates]\nchampion.f1 = '> 0'\n[features]", """champion.f1: found '> 0'; allowed: "not worse","""),
        ("[features]", "[gates]\nchampion.f2 = 'better'\n[features]", '(did you mean "champion.f1"?)'),
        ("[features]", "[gates]\nserving.latency_p9_ms = '< 5'\n[features]", '(did you mean "serving.latency_p99_ms"?)'),
        ("[features]", "[gates]\nfairness.city.accuracy_difference = '< 5'\n[features]", "fairness.city.accuracy_difference: unknown"),
        ("[features]", "[evaluation]\nmetric = 'rocauc'\n[features]", '(did you mean "roc_auc"?)'),
        ('positive = "yes"', 'positive = "yes"\nthreshold = 50', "[target] threshold: found 50; allowed: a number between"),
        ('positive = "yes"', 'positive = "yes"\nthreshold = { rule = "f2" }', "[target] threshold: found {'rule': 'f2'}; allowed"),
        ("[features]", "[training]\nestimator = 'random-forst'\n[features]", '(did you mean "random-forest"?)'),
        ("[features]", "[training]\nestimator = 'ridge-regression'\n[features]", "found 'ridge-regression'; allowed: hist-gradient-boosting, logistic-regression,"),
        ("[features]", "[training]\nestimator = 'own.trees:build'\n[features]", "estimator: found 'own.trees:build', but there is no models/shop/own/trees.py"),
        ("[features]", "[training]\nfeatures = 'mine:build'\n[features]", "features: found 'mine:build', but there is no models/shop/mine.py"),
        ("[features]", "[training]\nseed = 'x'\n[features]", "seed: found 'x'; allowed: a whole number"),
        ("[features]", "[training]\nfeatures = 'mine'\n[features]", "features: found 'mine'; allowed: module:function"),
        ("[features]", "[training]\nholdout_share = 1.0\n[features]", "[training] holdout_share: found 1.0"),
        ("[features]", "[training]\nholdout = 'newest'\n[features]", "[training] holdout: found 'newest'; allowed: \"random\", or \"newest\" beside a table [time]"),
        ("[features]", "[training]\nholdout = 'oldest'\n[features]", "[training] holdout: found 'oldest'; allowed: 'newest' or 'random'"),
        ("[features]", "[validation]\ndublicates.level = 'off'\n[features]", '(did you mean "duplicates"?)'),
        ("[features]", "[validation]\nrows.maximum = 5.0\n[features]", "[validation.rows] maximum: found 5.0; allowed: nothing: this check has a minimum instead"),
        ("[features]", "[validation]\nconstant.maximum = 0.5\n[features]", "[validation.constant] maximum: found 0.5; allowed: nothing: this check has no limit"),
        ("[features]", "[validation]\nmissing.maximum = 95.0\n[features]", "[validation.missing] maximum: found 95.0; allowed: 0 to 1"),
        ("[features]", "[validation]\nrows.minimum = 0.0\n[features]", "[validation.rows] minimum: found 0.0; allowed: 2 or more"),
        ("[features]", "[validation]\nschema.level = 'warn'\n[features]", "[validation.schema] level: found 'warn'; allowed: 'stop'"),
        ("[features]", "[validation]\nbias.level = 'loud'\n[features]", "[validation.bias] level: found 'loud'; allowed: 'stop', 'warn' or 'off'"),
        ("[features]", "[time]\nname = 'bought'\n[features]", "[time] name: found 'bought'; allowed: any column but the target"),
        ("[features]", "[time]\nname = 'age'\n[features]", "[time] name: found 'age'; allowed: a column that is no feature, or"),
        ("[features]", "[traning]\nseed = 1\n[features]", 'traning: unknown key (did you mean "training"?)'),
        ("[features]", "[features", "model.toml: not TOML:"),
    ],
)  # fmt: skip
def test_a_wrong_model_says_where_and_what(tmp_path: Path, before: str, after: str, expected: str) -> None:
    assert before in MODEL
    said = complaint(tmp_path, model=MODEL.replace(before, after, 1))
    assert said.startswith("models/shop/model.toml: ")
    assert expected in said


def test_what_is_said_of_a_check_is_its_rule_and_the_others_keep_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "shop"
    folder.mkdir(parents=True)
    said = '[time]\nname = "sold_at"\n[validation]\nrows.minimum = 20\nbias = { level = "stop", maximum = 0.3 }\n'
    (folder / "model.toml").write_text(MODEL + said)
    contract = load_model(tmp_path, "shop").contract()
    assert Contract.from_json(contract.to_json()) == contract
    changed = {name for name, rule in contract.validation.items() if rule != default_rules()[name]}
    assert changed == {"rows", "bias"}
    assert contract.validation["rows"] == Rule(level="stop", limit=20)
    assert contract.validation["bias"] == Rule(level="stop", limit=0.3)
    assert contract.time == Time(name="sold_at")


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("", "random"),
        ("[time]\nname = 'sold_at'", "newest"),
        ("[time]\nname = 'sold_at'\n[training]\nholdout = 'random'", "random"),
        ("[time]\nname = 'sold_at'\n[training]\nholdout = 'newest'", "newest"),
    ],
)
def test_where_there_is_a_time_the_newest_rows_are_held_out(tmp_path: Path, said: str, rule: str) -> None:
    folder = tmp_path / "models" / "shop"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(f"{MODEL}\n{said}\n")
    contract = load_model(tmp_path, "shop").contract()
    assert contract.training.holdout == rule
    assert Contract.from_json(contract.to_json()) == contract


def test_only_binary_problems_have_a_threshold(tmp_path: Path) -> None:
    model = MODEL.replace('"binary"', '"multiclass"').replace('positive = "yes"', "threshold = 0.5")
    assert "[target] threshold: found 0.5; allowed: nothing" in complaint(tmp_path, model=model)


def test_dots_in_the_name_of_a_gate_need_no_quotes(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "shop"
    folder.mkdir(parents=True)
    gates = """
[fairness]
sensitive = ["city"]
[gates]
"champion.roc_auc" = "not worse"
fairness.city.demographic_parity_difference = "<= 0.1"
"""
    (folder / "model.toml").write_text(MODEL + gates)
    assert load_model(tmp_path, "shop").gates == {
        "champion.roc_auc": "not worse",
        "fairness.city.demographic_parity_difference": "<= 0.1",
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('"111122223333"', '"1111"', "environments.toml: [dev] account: found '1111'; allowed: match pattern"),
        ('account = "111122223333"', "", "environments.toml: [dev] account: missing; allowed: a string"),
        ('"manual"', '"maybe"', "[dev] approval: found 'maybe'; allowed: 'automatic' or 'manual'"),
        ("[dev.paging]", "[dev.servin]\n[dev.paging]", '[dev] servin: unknown key (did you mean "serving"?)'),
        ("[dev.paging]", "[dev.scoring]\nretry_secs = 1\n[dev.paging]", '[dev.scoring] retry_secs: unknown key (did'),
        ("[dev.paging]", "[dev.scoring]\nmax_receives = 0\n[dev.paging]", "[dev.scoring] max_receives: found 0; allowed"),
        ("[dev.paging]", "[dev.training]\nlongest_wait_seconds = 9\n[dev.paging]", "[dev.training] longest_wait_seconds: found 9; allowed: at least quiet_seconds, which is 300"),
        ('"oncall@example.com"', '"oncall"', "[dev.paging.emails] 0: found 'oncall'"),
        ('["oncall@example.com"]', "[]", "[dev] paging: found nothing; allowed: someone to page"),
        ("[dev.paging]", "image_uri = 'millrace:1'\n[dev.paging]", "[dev] image_uri: found 'millrace:1'"),
        ("[dev.paging]", "[dev.retention]\nnoncurrent_days = 14\n[dev.paging]", "noncurrent_days: found 14; allowed: greater"),
        ("[dev.paging]", "[dev.batch]\ntimeout_minutes = 7200\n[dev.paging]", "[dev.batch] poll_seconds: found 30; allowed: at least 163"),
        ("[dev.paging]", "[dev.release]\npoll_seconds = 1\n[dev.paging]", "[dev.release] poll_seconds: found 1; allowed: at least 2"),
        ("[dev.paging]", "tags = { 'aws:x' = 'y' }\n[dev.paging]", "[dev.tags] aws:x: found 'aws:x'; allowed: up to 128"),
        ("[dev.paging]", "tags = { 'why?' = 'y' }\n[dev.paging]", "[dev.tags] why?: found 'why?'; allowed: up to 128"),
        ("[dev.paging]", "tags = { owner = 'a & b' }\n[dev.paging]", "[dev.tags] owner: found 'a & b'; allowed: up to 256"),
    ],
)  # fmt: skip
def test_a_wrong_environment_says_where_and_what(
    tmp_path: Path, before: str, after: str, expected: str
) -> None:
    assert before in ENVIRONMENT
    assert expected in complaint(tmp_path, environment=ENVIRONMENT.replace(before, after, 1))


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, model=MODEL.replace("min", "mn").replace('"binary"', '"b"'))
    assert len(said.splitlines()) == 2


def test_unknown_names_list_what_there_is(root: Path) -> None:
    with pytest.raises(SettingsError, match=r'no model "tumour" \(did you mean "tumor"\?\).*-c model=NAME'):
        load_model(root, "tumour")
    with pytest.raises(SettingsError, match=r'no environment "prd".*"prod".*local, dev, prod.*table \[prd\]'):
        load_environment(root, "prd")
    with pytest.raises(SettingsError, match="there is no such file"):
        load_environment(root / "docs", "prod")


def test_an_image_that_is_not_in_ecr_is_refused(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"image_uri: found 'millrace:latest'"):
        load_environment(root, "prod", image_uri="millrace:latest")
    uri = f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/millrace@sha256:{'0' * 64}"
    assert load_environment(root, "prod", image_uri=uri).image_uri == uri
