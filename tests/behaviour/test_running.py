"""Behaviour tests run with a real exported model: what fails is what the model answers wrongly."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from tests.trained import Trained
from tunegate.behaviour.cases import Source, cases_of
from tunegate.behaviour.results import bounds
from tunegate.behaviour.running import read_file, run_behaviour
from tunegate.errors import UserError
from tunegate.predictor import Predictor
from tunegate.records import read_table

FILE = """\
lists:
  sky: [rain, snow, sun]
  dish: [soup, bread, cake]
tests:
  weather words are weather:
    kind: minimum_functionality
    templates: ["{sky} and wind", "warm {sky} this morning"]
    expected: weather
  weather words are food:
    kind: minimum_functionality
    templates: ["{sky} and wind"]
    expected: food
  typos:
    kind: invariance
    perturb: typos
    rows: 30
    copies: 3
  case:
    kind: invariance
    perturb: {case: {to: upper}}
    rows: 500
  dishes:
    kind: invariance
    perturb: {swap: {words: dish}}
    rows: 500
  more butter is not less food:
    kind: direction
    rows: 500
    where: {label: food}
    add: with butter
    label: food
    score: must_not_fall
"""


@pytest.fixture(scope="module")
def predictor(judged: Trained) -> Predictor:
    return Predictor.open(judged.export, "fp32")


@pytest.fixture(scope="module")
def rows(judged: Trained) -> pa.Table:
    return read_table(judged.stage("validate") / "test.parquet")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "demo.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(path, rows, predictor, seed=0):
    [results] = run_behaviour(path, "behaviour/demo.yaml", rows, {"fp32": predictor}, seed).precisions.values()
    return {result.name: result for result in results}


def test_a_wrong_expectation_fails_and_a_right_one_does_not(path, rows, predictor):
    found = run(path, rows, predictor)
    assert found["weather words are weather"].failures == 0
    assert found["weather words are weather"].n == 6
    wrong = found["weather words are food"]
    assert wrong.failures == wrong.n == 3
    assert wrong.examples[0].wanted == "food" and wrong.examples[0].got == "weather"
    assert (wrong.low, wrong.lower) == pytest.approx((0.292, 0.368), abs=0.001)  # exact: 0.025 and 0.05 to the 1/3


def test_rows_are_cases_only_where_something_changes(path, rows, predictor):
    found = run(path, rows, predictor)
    assert found["case"].n == len(rows)
    assert found["typos"].n == 30
    dishes = sum(any(word in text.split() for word in ("soup", "bread", "cake")) for text in rows["text"].to_pylist())
    assert found["dishes"].n == dishes
    food = rows["label"].to_pylist().count("food")
    assert found["more butter is not less food"].n == food


def test_what_fails_is_what_the_model_answers_otherwise(path, rows, predictor):
    for failing in run(path, rows, predictor)["typos"].examples:
        before, after = predictor.responses([failing.record, failing.changed])
        assert before["label"] in failing.wanted and after["label"] == failing.got != before["label"]
        assert failing.row in rows["id"].to_pylist()


def test_a_model_blind_to_case_does_not_change_its_mind(path, rows, predictor):
    assert run(path, rows, predictor)["case"].failures == 0


def test_the_same_seed_gives_the_same_results(path, rows, predictor):
    again = run(path, rows.take(Random(1).sample(range(len(rows)), len(rows))), predictor)  # in another order too
    assert run(path, rows, predictor) == again


def test_a_new_row_moves_no_other_rows_perturbation(path, rows):
    file = read_file(path, "demo", ("text",))
    few, all_of = (
        {case.row: case for case in cases_of("case", file.tests["case"], Source(file, table, ("text",), 0))}
        for table in (rows.slice(5), rows)
    )
    assert few.items() <= all_of.items()


def test_results_are_plain_values(path, rows, predictor):
    behaviour = run_behaviour(path, "behaviour/demo.yaml", rows, {"fp32": predictor}, 0)
    assert type(behaviour).model_validate(json.loads(behaviour.model_dump_json())) == behaviour


def test_no_case_is_no_rate():
    assert set(bounds(0, 0).values()) == {None}
    assert bounds(0, 59)["upper"] == pytest.approx(0.05, abs=0.001)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("expected: weather", "expected: weathr"), 'Did you mean "weather"?'),
        (("label: food\n    score", "label: foot\n    score"), 'Did you mean "food"?'),
        (("where: {label", "where: {labels"), 'Did you mean "label"?'),
        (('"{sky} and wind"', '{text: "{sky}", text_b: wind}'), "text_b must be left out"),
    ],
)
def test_what_does_not_fit_the_model_is_a_sentence(path, judged, change, said):
    path.write_text(FILE.replace(*change, 1), encoding="utf-8")
    rows, predictor = read_table(judged.stage("validate") / "test.parquet"), Predictor.open(judged.export, "fp32")
    with pytest.raises(UserError) as error:
        run(path, rows, predictor)
    assert said in error.value.problem


def test_a_missing_file_is_a_sentence(tmp_path, rows, predictor):
    with pytest.raises(UserError, match=r"evaluate\.behaviour names behaviour/demo\.yaml, which is not there"):
        run(tmp_path / "none.yaml", rows, predictor)


def test_a_task_whose_questions_are_words_has_nothing_to_change(predictor: Predictor, rows: pa.Table) -> None:
    """Its evaluate stage ended with an IndexError."""
    manifest = predictor.manifest.model_copy(update={"task": "token_classification"})
    with pytest.raises(UserError, match="no text to change"):
        run_behaviour(
            Path("demo.yaml"), "behaviour/demo.yaml", rows, {"fp32": replace(predictor, manifest=manifest)}, 0
        )
