"""Parts of dates and words of texts: as Python and scikit-learn have them, in training and in serving."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from container.errors import DataError
from contract.schema import Contract, Feature, Problem, Target, Training
from contract.serving import CSV
from scoring.server.predictor import Predictor
from tabular import values
from tabular.category_encoder import detached
from tabular.onnx_session import Graph
from tabular.rows import NO_TEXTS
from tabular.samples import Samples
from tests.fixtures.folders import Job, Run
from tests.fixtures.tables import ESTIMATORS, of_problem, samples_of, tickets, to_csv
from training.data import table
from training.features import dates, estimator_input
from training.features.derived import BASE, Derived, learn
from training.features.tfidf import LARGEST_VOCABULARY, RARE_ROWS
from training.model.fit import FittedModel, fit
from training.model.onnx_export import check_detached, check_parity, to_onnx

pytestmark = pytest.mark.slow

DATETIME = Feature(name="d", type="datetime")
PARTS = Derived(1, dates.parts(BASE, [(0, "d")]))
"""Every part of one date."""


def parts_of(moments: list[float]) -> list[list[float]]:
    found = PARTS.matrix(np.array(moments, np.float32).reshape(-1, 1), NO_TEXTS)
    parts: list[list[float]] = found[:, 1:].tolist()
    return parts


@given(st.lists(st.datetimes(timezones=st.just(UTC)).filter(lambda m: 57 < m.year < 3883), min_size=1))
@example([datetime(2000, 2, 29, tzinfo=UTC), datetime(1900, 2, 28, 23, 59, 59, 999_999, UTC)])
@example([datetime(1969, 12, 31, 23, tzinfo=UTC), datetime(2023, 12, 31, 23, 59, tzinfo=UTC)])
def test_parts_are_those_of_pythons_calendar(moments: list[datetime]) -> None:
    found = parts_of([values.hours(DATETIME, moment.isoformat()) for moment in moments])
    assert found == [[m.month, m.day, m.weekday(), m.hour] for m in moments]


def test_each_day_of_four_centuries_has_its_parts() -> None:
    days = np.arange(np.datetime64("1800-01-01"), np.datetime64("2200-03-01"))
    since = days.astype(np.int64)
    found = PARTS.matrix((since * 24).astype(np.float32)[:, None], NO_TEXTS)[:, 1:]
    months = days.astype("datetime64[M]")
    expected = [months.astype(int) % 12 + 1, (days - months).astype(int) + 1, (since + 3) % 7, since * 0]
    np.testing.assert_array_equal(found, np.stack(expected, axis=1))


def test_the_parts_of_no_date_are_below_all_others() -> None:
    assert parts_of([np.nan]) == [[dates.MISSING_PART] * 4]


def test_a_date_far_away_keeps_its_day() -> None:
    far = values.hours(DATETIME, "9999-12-31T23:59:59")
    assert parts_of([far])[0][:3] == [12, 31, 4]


def learned(contract: Contract, samples: Samples) -> tuple[Derived, Any]:
    target = samples.coded_target(samples.classes(contract))
    encoder = estimator_input.fit_encoder(samples, target, contract)
    base = estimator_input.base(samples, encoder)
    derived = learn(contract, estimator_input.base_columns(contract, encoder), samples, base, target)
    return derived, derived.matrix(base, samples.texts)


def test_a_part_that_never_varies_has_no_column() -> None:
    contract, samples = samples_of("binary", tickets())
    derived, _ = learned(contract, samples)
    assert derived.dates is not None
    assert derived.dates.names == ("opened.month", "opened.day", "opened.weekday", "opened.hour")
    samples.numbers[:, 0] = np.arange(len(samples)) % 3 * 24
    derived, _ = learned(contract, samples)
    assert derived.dates is not None
    assert derived.dates.names == ("opened.day", "opened.weekday")


def test_weights_are_those_of_scikit_learn() -> None:
    contract, samples = samples_of("binary", tickets())
    derived, matrix = learned(contract, samples)
    assert derived.words is not None
    at = len(derived.words.names)
    found = dict(zip(derived.words.names, matrix[:, -at:].T, strict=True))
    for name, column in zip(("note", "subject"), samples.texts.T, strict=True):
        vectorizer = TfidfVectorizer()
        expected = vectorizer.fit_transform(column).toarray()
        known = vectorizer.get_feature_names_out().tolist()
        # The others are the numbers, each in too few rows; norms are of words that have a column.
        mine = [word for word in known if f"{name}: {word}" in found]
        kept = expected[:, [known.index(word) for word in mine]]
        norms = np.linalg.norm(kept, axis=1, keepdims=True)
        expected = np.divide(kept, norms, out=np.zeros_like(kept), where=norms > 0)
        np.testing.assert_allclose(
            np.stack([found[f"{name}: {word}"] for word in mine], 1), expected, atol=1e-6
        )
    assert {"note: refund", "note: café", "subject: urgent", "subject: ärger"} <= set(found)


def worded(texts: list[str], target: list[str]) -> tuple[Contract, Samples]:
    contract = Contract(
        model="m",
        problem="binary",
        target=Target(name="t", positive="b"),
        features=(Feature(name="said", type="text"),),
        training=Training(parameters={"max_iter": 5}),
    )
    none = np.empty((len(texts), 0))
    column = np.array([[text] for text in texts], object)
    return contract, Samples(none.astype(np.float32), none.astype(object), np.array(target, object), column)


def test_of_many_words_those_that_tell_most_have_a_column() -> None:
    draw = random.Random(5)
    noise = [f"word{i}" for i in range(2 * LARGEST_VOCABULARY)]
    target = ["a", "b"] * 500
    texts = [" ".join([*draw.sample(noise, 12), *["zebra"] * (side == "b")]) for side in target]
    derived, _ = learned(*worded(texts, target))
    assert derived.words is not None
    assert len(derived.words.names) == LARGEST_VOCABULARY
    assert "said: zebra" in derived.words.names


def test_a_model_of_nothing_but_a_text() -> None:
    texts = ["good", "good very", "bad", "bad very"] * 30
    contract, samples = worded(texts, ["b", "b", "a", "a"] * 30)
    model = fit(samples, contract)
    exported = to_onnx(model, contract)
    check_parity(model, Graph(exported), samples)
    check_detached(exported, samples)
    assert (model.predict(samples)[:, 1] > 0.5).tolist() == [True, True, False, False] * 30


def test_texts_without_a_common_word_are_the_datas_fault() -> None:
    contract, samples = worded([f"w{i // (RARE_ROWS - 1)}" for i in range(40)], ["a", "b"] * 20)
    with pytest.raises(DataError, match="said: no word is in 5 rows or more"):
        fit(samples, contract)


@pytest.fixture(scope="module")
def models() -> dict[tuple[Problem, str], tuple[FittedModel, bytes, Graph]]:
    made = {}
    problems: tuple[Problem, ...] = ("binary", "multiclass", "regression")
    for problem in problems:
        contract, samples = samples_of(problem, tickets(problem))
        for estimator in ESTIMATORS:
            contract = replace(contract, training=Training(estimator=of_problem(estimator, problem)))
            model = fit(samples, contract)
            exported = to_onnx(model, contract)
            made[problem, estimator] = model, exported, Graph(exported)
    return made


rows = st.lists(
    st.tuples(
        st.one_of(st.text(), st.sampled_from(["refund", "café broken broken", "-", "", "zz zz order"])),
        st.one_of(st.just(""), st.datetimes().map(lambda moment: moment.isoformat())),
        st.sampled_from(["mail", "phone", "", "?", "letter"]),
        st.text(min_size=1).filter(lambda text: bool(text.strip())),
        st.floats(0, 1e6, width=32).map(repr),
        st.just("yes"),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows)
def test_all_estimators_agree_on_any_row(models: Any, rows: Any) -> None:
    table = tickets()
    usual = table.rows[:40]
    _, samples = samples_of("binary", replace(table, rows=(*usual, *rows)))
    for model, _, graph in models.values():
        check_parity(model, graph, samples)


def test_without_its_encoder_a_graph_predicts_the_same_to_the_bit(models: Any) -> None:
    for (problem, _), (_, exported, _) in models.items():
        _, samples = samples_of(problem, tickets(problem))
        samples.texts[::9] = "never seen"
        check_detached(exported, samples)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_what_is_derived_is_learned_from(models: Any, estimator: str) -> None:
    _, samples = samples_of("regression", tickets("regression"))
    model, _, _ = models["regression", estimator]
    residual = samples.target - model.predict(samples)
    assert 1 - residual.var() / samples.target.var() > 0.8, "of the variance is explained"


def test_the_same_rows_give_the_same_bytes(models: Any) -> None:
    contract, samples = samples_of("multiclass", tickets("multiclass"))
    _, exported, _ = models["multiclass", "hist-gradient-boosting"]
    assert to_onnx(fit(samples, contract), contract) == exported


def test_the_graph_without_its_encoder_still_reads_texts(models: Any) -> None:
    for _, exported, _ in models.values():
        vocabularies, model = detached(exported)
        assert len(vocabularies) == 1
        assert b"LabelEncoder" not in model


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("tickets"), tickets())


@pytest.fixture(scope="module")
def jobs(run: Run) -> tuple[Job, Job]:
    return run.trained()


@pytest.fixture(scope="module")
def sealed(jobs: tuple[Job, Job]) -> Path:
    return Path(jobs[1].base) / "model"


def test_every_job_copes(run: Run, jobs: tuple[Job, Job]) -> None:
    prepared, trained = jobs
    evaluated = run.evaluate(prepared, trained)
    assert evaluated.run("evaluate") == 0
    document = json.loads((evaluated.output("evaluation") / "evaluation.json").read_text())
    assert document["metrics"]["roc_auc"]["value"] > 0.9
    importances = {
        found["feature"]: found["permutation_mean"] for found in document["importance"]["features"]
    }
    assert set(importances) == set(tickets().contract.feature_names)
    assert max(importances, key=importances.__getitem__) == "note"
    assert any("words" in found["slice"] for found in document["slices"]["worst_first"])
    baseline = json.loads((trained.base / "model" / "baseline.json").read_text())
    assert set(baseline["features"]) == set(tickets().contract.feature_names)


def test_the_server_answers_as_the_graph_does_however_it_reads(sealed: Path) -> None:
    table = tickets()
    predictor = Predictor(sealed)
    _, samples = samples_of("binary", table)
    graph = Graph((sealed / "model.onnx").read_bytes())
    expected = graph.run(samples.numbers, samples.categories, samples.texts)[:, 1]
    for size in (1, 5, 400):
        body = to_csv([table.header, *table.rows[:size]]).encode()
        answers = [json.loads(line) for line in predictor.respond(CSV, body).splitlines()]
        found = [answer["probability"] for answer in answers]
        np.testing.assert_allclose(found, expected[:size], atol=1e-6)


def test_a_refused_text_is_told_and_no_other_row_is_moved(sealed: Path) -> None:
    predictor = Predictor(sealed)
    table = tickets()
    for size in (5, 60):
        good = predictor.respond(CSV, to_csv([table.header, *table.rows[:size]]).encode()).splitlines()
        bad = [list(row) for row in table.rows[:size]]
        bad[2][3] = " "
        bad[2][4] = "-1"
        answers = predictor.respond(CSV, to_csv([table.header, *bad]).encode()).splitlines()
        assert [reason["column"] for reason in json.loads(answers[2])["rejected"]] == ["subject", "waited"]
        assert [*answers[:2], *answers[3:]] == [*good[:2], *good[3:]]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin", "+05:30"])
def test_parquet_and_text_mean_the_same_instant(tmp_path: Path, unit: str, zone: str | None) -> None:
    moments = ["2024-02-29T23:59:59", "1969-12-31T23:00:00", "2024-07-01T00:00:00", None]
    times = pa.array(moments, pa.string()).cast(pa.timestamp(unit))
    instants = times.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone)) if zone else times
    outcome = ["yes", "no", "yes", "no"]
    pq.write_table(pa.table({"d": instants, "t": outcome}), tmp_path / "a.parquet")
    rows = [["d", "t"], *([moment or "", label] for moment, label in zip(moments, outcome, strict=True))]
    (tmp_path / "b.csv").write_text(to_csv(rows))
    lines = [{"d": moment and f"{moment}+00:00", "t": label} for moment, label in rows[1:]]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, lines)))
    contract = Contract(
        model="m", problem="binary", target=Target(name="t", positive="yes"), features=(DATETIME,)
    )
    parquet, csv, json_lines = (
        np.concatenate([chunk.features.numbers for chunk in table.read(path, contract)])
        for path in table.files(tmp_path)
    )
    assert csv[:, 0].tolist()[:3] == [values.hours(DATETIME, f"{moment}Z") for moment in moments[:3]]
    np.testing.assert_array_equal(parquet, csv)
    np.testing.assert_array_equal(json_lines, csv)
