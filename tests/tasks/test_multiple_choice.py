"""Choices among options that differ in number from row to row, in both forms."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.tasks.perfect import perfect_outputs, plain_texts
from tests.tiny import tiny_tokenizer
from tunegate.evaluation.scores import classes
from tunegate.params import IngestSettings, SplitSettings, ValidateSettings
from tunegate.progress import Progress
from tunegate.stages.ingest import ingest
from tunegate.task import Reading, Sums, TextTokenizer
from tunegate.tasks import examples_of, record_of
from tunegate.tasks.multiple_choice import answer, encode, record
from tunegate.text.readers import file_of
from tunegate.text.tokens import load_tokenizer
from tunegate.validation.checks import Rules
from tunegate.validation.examine import examine

TASK = "multiple_choice"
FORMS = ("pairwise", "joint")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    texts = plain_texts(examples_of(record_of(TASK)))
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), texts))


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.table(
        {column.name: pa.array([row.get(column.name) for row in rows], column.type) for column in record.PAYLOAD}
    )


def perfect(rows: pa.Table, tokenizer: TextTokenizer, form: str, max_length: int = 32) -> pa.Table:
    options = {"form": form}
    windows = encode.encode(rows.drop_columns(["answer"]), tokenizer, max_length, options)
    outputs = perfect_outputs(TASK, windows, encode.target(rows, windows, [], options), 0, options)
    reading = Reading([], {}, options)
    return answer.decode(outputs, windows, rows, replace(reading, fitted=answer.fit(outputs, windows, rows, reading)))


def summed(rows: pa.Table, answers: pa.Table) -> Sums:
    counts = answer.counts(answers, rows, [])
    return {key: np.array([counts.number[counts.key == number].sum()]) for number, key in enumerate(counts.keys)}


@pytest.mark.parametrize("form", FORMS)
@settings(deadline=None, max_examples=20)
@given(
    sizes=st.lists(st.integers(2, 14), min_size=1, max_size=4),
    seed=st.integers(0, 9),
    max_length=st.sampled_from([8, 12, 64]),
)
def test_a_perfect_model_is_right_about_any_number_of_options(
    tokenizer: TextTokenizer, form: str, sizes: list[int], seed: int, max_length: int
) -> None:
    random = np.random.default_rng(seed)
    rows = table(
        *(
            {
                "question": "which one",
                "options": [f"cat {n}" for n in range(size)],
                "answer": int(random.integers(size)),
            }
            for size in sizes
        )
    )
    answers = perfect(rows, tokenizer, form, max_length)
    assert answers["choice"].to_pylist() == rows["answer"].to_pylist()
    assert [len(own) for own in answers["scores"].to_pylist()] == sizes
    assert [sum(own) for own in answers["scores"].to_pylist()] == pytest.approx([1.0] * len(sizes))


@pytest.mark.parametrize("form", FORMS)
def test_one_head_scores_every_option_in_either_form(form: str) -> None:
    assert encode.head_options([], {"form": form}) == {"num_labels": 1}
    assert encode.head({"form": form}).learns_from == ("record" if form == "pairwise" else "window")


def said(rows: pa.Table, *scores: list[float]) -> pa.Table:
    most = max(map(len, scores))
    return answer._answers(np.array([[*own, *[0.0] * (most - len(own))] for own in scores]), rows)


ROWS = table(
    {"options": ["a", "b"], "answer": 0},
    {"options": ["a", "b", "c"], "answer": 2},
    {"options": ["a", "b", "c"], "answer": 0},
)


def test_rank_place_and_number_of_options_are_counted() -> None:
    sums = summed(ROWS, said(ROWS, [0.9, 0.1], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3]))
    assert {key: float(value[0]) for key, value in sums.items() if value[0]} == {
        "n": 3, "correct": 1, "reciprocal rank": pytest.approx(1 + 1 / 3 + 1 / 3),
        "support:option 1": 2, "support:option 3": 1, "answered:option 1": 2, "answered:option 2": 1,
        "hit:option 1": 1, "of 2": 1, "of 3": 2, "right of 2": 1,
    }  # fmt: skip
    accuracy, rank = (metric.value(sums)[0] for metric in answer.METRICS)
    assert (accuracy, rank) == (pytest.approx(1 / 3), pytest.approx(5 / 9))


def test_the_report_tells_accuracy_by_the_right_options_place() -> None:
    counts = answer.counts(said(ROWS, [0.9, 0.1], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3]), ROWS, [])
    assert [(each.label, each.rows, each.recall) for each in classes(counts)] == [
        ("option 1", 2, 0.5), ("option 2", 0, None), ("option 3", 1, 0.0),
    ]  # fmt: skip


def test_of_equal_scores_the_first_option_is_chosen_and_stands_first() -> None:
    rows = table({"options": ["a", "b"], "answer": 1})
    sums = summed(rows, said(rows, [0.5, 0.5]))
    assert sums["reciprocal rank"][0] == 0.5


def test_the_service_says_option_number_and_a_score_for_each() -> None:
    answers = said(ROWS, [0.9, 0.1], [0.5, 0.3, 0.2], [0.2, 0.5, 0.3])
    assert answer.responses(answers, [], True)[1] == {
        "choice": 0, "option": "a", "confidence": 0.5, "scores": [0.5, 0.3, 0.2],
    }  # fmt: skip
    assert answer.margins(answers).tolist() == pytest.approx([0.8, 0.2, 0.2])
    assert answer.decided(answers) == ["a", "a", "b"]


def test_a_row_for_people_shows_question_options_choice_and_what_is_right() -> None:
    row = {"question": "Who?", "context": "A story.", "options": ["me", "you"], "answer": 1}
    shown = answer.cells(row, {"option": "me", "confidence": 0.75})
    assert shown == {
        "question": "A story. / Who?", "options": "me | you", "answer": "me", "confidence": "0.75", "label": "you",
    }  # fmt: skip
    assert "label" not in answer.cells({"options": ["me", "you"]}, {"option": "me", "confidence": 0.75})


def test_baselines_find_a_place_that_is_mostly_right_and_words_that_are() -> None:
    train = table(*({"question": "who", "options": ["stone", "dog"], "answer": 1} for _ in range(6)))
    test = table({"question": "who", "options": ["dog", "stone", "spoon"], "answer": 0})
    found = answer.baselines(train, test, [], 0)
    assert answer.decided(found["position"][1]) == ["stone"]
    assert answer.decided(found["tfidf"][1]) == ["dog"]


def facts(**row: Any) -> set[str]:
    return {name for name, marks in record.facts(table({"answer": 0, **row})).items() if marks[0]}


def test_what_is_wrong_with_options_is_noticed() -> None:
    assert facts(options=["a", "b"]) == set()
    assert facts(options=["a", " "]) == {"option_empty"}
    assert facts(options=["A b!", "a  b"]) == {"choices_same"}
    assert facts(options=["a", "b"], question="_ and _") == {"blanks_many"}


def test_equal_options_of_different_rows_are_nothing_to_notice() -> None:
    marks = record.facts(table({"options": ["a", "b"], "answer": 0}, {"options": ["a", "b"], "answer": 0}))
    assert not any(found.any() for found in marks.values())


@pytest.mark.parametrize(
    "options", [["a"], ["a", "a"], ["a", " "], [], ["a"] * 2 + ["b"], [str(n) for n in range(101)]]
)
def test_the_service_refuses_what_is_no_choice(options: list[str]) -> None:
    with pytest.raises(ValidationError):
        record.Record.model_validate({"options": options})


def test_a_message_on_rows_without_a_question_shows_their_options(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"options": ["it rains up", "it rains down"], "answer": 0}\n' * 2)
    file = file_of(tmp_path / "rows.jsonl", IngestSettings())
    ingest([file], record.PAYLOAD, IngestSettings(), SplitSettings(), tmp_path, Progress("ingest"))
    part = record_of(TASK)
    found = examine(ds.dataset(tmp_path / "records.parquet"), 0, Rules(part, ValidateSettings(min_rows=1)))
    (said,) = [finding.sentence() for finding in found.findings if finding.code == "DUP_EXACT"]
    assert "'it rains up it rains down'" in said
