"""The loop where AWS throttles, forgets for a moment what it was told, and has quotas; deployed twice at once.

The seed decides what is throttled and how long things are not known yet: with this one each kind of thing
cannot be described for over half a second after it was made.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cli.kit import samples
from contract import layout
from tests.end_to_end.laptop import Laptop, Model, table

pytestmark = pytest.mark.local_cloud

SEED = "86"


@pytest.fixture(scope="module")
def strict(make_laptop: Callable[[], Laptop], tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The model `tumor`, deployed, trained and live on a strict cloud."""
    laptop = make_laptop()
    laptop.millrace("up", "--strict", "--seed", SEED)
    deployed = at_once(lambda: laptop.millrace("deploy", "--model", "tumor"), 2)
    assert [text.count("Deployed tumor") for text in deployed] == [1, 1]
    data = samples.write_csv(tmp_path_factory.mktemp("data") / "tumors.csv", *samples.tumors())
    said = laptop.millrace("train", "--model", "tumor", str(data))
    assert "Live: millrace-local-tumor/1" in said
    return laptop.model("tumor")


def at_once(run: Callable[[], str], times: int) -> list[str]:
    """What a command says, run several times at once."""
    with ThreadPoolExecutor(times) as pool:
        return [done.result() for done in [pool.submit(run) for _ in range(times)]]


def test_the_loop_goes_through_with_nothing_refused_but_for_a_while(strict: Model) -> None:
    header, rows = samples.tumors()
    body = table(header[:-1], [row[:-1] for row in rows[:10]])
    scored = strict.result("score/strict.csv", strict.upload("score/strict.csv", body))
    assert [row["rejected"] for row in scored] == [""] * 10
    assert strict.laptop.denials() == []


def test_a_large_upload_comes_back_from_the_batch_path(strict: Model) -> None:
    functions, name = strict.laptop.client("lambda"), strict.outputs["ScoreUploadFunction"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "MAX_UPLOAD_BYTES": "1000"}}
    )
    header, rows = samples.tumors()
    key = "score/by-batch.csv"
    version = strict.upload(key, table(header[:-1], [row[:-1] for row in rows[:50]]))
    result = strict._outcome(layout.scored_key(key, version), 120)
    assert len(result.splitlines()) == 51
    assert strict.laptop.denials() == []


def test_it_was_strict(strict: Model) -> None:
    log = (strict.laptop.folder / "cloud.log").read_text()
    throttled = {line.partition("throttled: ")[2].split(" of ")[1].split()[0] for line in log.splitlines() if "throttled: " in line}  # fmt: skip
    assert throttled >= {"s3", "sagemaker", "lambda"}, throttled
    assert Path(strict.laptop.folder, "allowed.jsonl").exists()
