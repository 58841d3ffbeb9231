"""What the page shows of an answer, whatever the task says its scores are; and which text it takes apart."""

from types import SimpleNamespace
from typing import Any

import pytest

from tunegate.errors import UserError
from tunegate.review.views.ask import best_scores, own_field


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


def test_of_a_question_about_a_passage_the_question_is_taken_apart() -> None:
    assert own_field(asked("question_answering"), {"passage": "Anna lives.", "question": "Who?"}) == "question"
    assert own_field(asked("text_classification"), {"text": "rain", "text_b": "sun"}) == "text"


def test_a_task_without_a_text_of_its_own_is_a_sentence() -> None:
    with pytest.raises(UserError, match="one text is asked at a time"):
        own_field(asked("dependency_parsing"), {"tokens": ["Anna", "sleeps"]})
