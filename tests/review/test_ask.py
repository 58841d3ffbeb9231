"""The form is read off the record whatever the task, and what is shown of an answer off the answer."""

from types import SimpleNamespace
from typing import Any

import pytest

from tunegate.review.asking import ask_fields, asked_record
from tunegate.review.told import marked, told
from tunegate.review.views.ask import best_scores, own_field
from tunegate.tasks import TASKS, record_of

FORMS = {
    "text_classification": {"text": "text"},
    "token_classification": {"text": "text"},
    "dependency_parsing": {"text": "text"},
    "multiple_choice": {"question": "text", "options": "lines"},
    "question_answering": {"question": "text", "passage": "text"},
    "open_cloze": {"text": "text"},
}


def example_fields(task: str) -> Any:
    """The form for questions like the task's own first example."""
    part = record_of(task)
    return ask_fields(part.Record, part.PAYLOAD, [name for name, value in part.EXAMPLES[0].items() if value])


@pytest.mark.parametrize("task", TASKS)
def test_every_task_can_be_asked_with_what_a_person_can_type(task: str) -> None:
    fields, part = example_fields(task), record_of(task)
    assert fields and any(field.required for field in fields)
    example = {**part.EXAMPLES[0], "text": part.EXAMPLES[0].get("text", " ".join(part.EXAMPLES[0].get("tokens", ())))}
    typed = {field.name: example[field.name] for field in fields}
    form = {name: "\r\n".join(value) if isinstance(value, list) else value for name, value in typed.items()}
    form = {name: value.replace("\r\n", "\n") for name, value in form.items()}
    assert part.Record.model_validate(asked_record(fields, form))


@pytest.mark.parametrize("task", FORMS)
def test_the_boxes_are_those_of_the_record(task: str) -> None:
    assert {field.name: field.kind for field in example_fields(task)} == FORMS[task]


def test_lines_are_texts_of_their_own_and_empty_boxes_are_left_out() -> None:
    fields = example_fields("multiple_choice")
    assert asked_record(fields, {"question": " ", "options": " cat \n\n dog\n"}) == {"options": ["cat", "dog"]}


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ({"a": 0.2, "b": 0.8}, [("b", 0.8), ("a", 0.2)]),
        ([0.2, 0.8], [("1", 0.8), ("0", 0.2)]),
        ([{"text": "Rome", "score": 0.3}, {"text": "Oslo", "score": 0.7}], [("Oslo", 0.7), ("Rome", 0.3)]),
        (None, []),
    ],
)
def test_the_highest_scores_come_first(scores: object, shown: list[tuple[str, float]]) -> None:
    assert best_scores(scores) == shown


def asked(task: str) -> Any:
    return SimpleNamespace(manifest=SimpleNamespace(task=task))


def test_of_a_question_about_a_passage_the_question_is_taken_apart_and_of_words_nothing() -> None:
    assert own_field(asked("question_answering"), {"passage": "Anna lives.", "question": "Who?"}) == "question"
    assert own_field(asked("text_classification"), {"text": "rain", "text_b": "sun"}) == "text"
    assert own_field(asked("dependency_parsing"), {"tokens": ["Anna", "sleeps"]}) is None


WORDS = {"words": [{"text": "Anna", "tag": "B-per", "confidence": 0.9, "scores": {"O": 0.1}}], "confidence": 0.9}


def test_words_and_numbered_candidates_are_tables() -> None:
    [table] = told(WORDS)
    assert (table.columns, table.rows[0].cells) == (["text", "tag", "confidence"], ["Anna", "B-per", "0.900"])
    [blanks] = told({"candidates": [[{"word": "sea", "probability": 0.5}], [{"word": "sun", "probability": 0.4}]]})
    assert [row.cells for row in blanks.rows] == [["1", "sea", "0.500"], ["2", "sun", "0.400"]]
    assert told({"label": "a", "scores": [{"text": "a", "score": 1.0}], "words": ["sea"], "spans": []}) == []


def test_a_row_is_marked_where_the_other_version_says_otherwise_but_not_for_its_confidence() -> None:
    surer = {"words": [{**WORDS["words"][0], "confidence": 0.8}]}  # type: ignore[index, dict-item]
    other = {"words": [{**WORDS["words"][0], "tag": "O"}]}  # type: ignore[index, dict-item]
    assert [row.differs for row in marked(told(WORDS), told(surer))[0].rows] == [False]
    assert [row.differs for row in marked(told(WORDS), told(other))[0].rows] == [True]


def test_a_long_answer_is_cut_and_says_so() -> None:
    [table] = told({"words": [{"text": str(number)} for number in range(1_000)]})
    assert len(table.rows) + table.left_out == 1_000 and table.left_out > 0
