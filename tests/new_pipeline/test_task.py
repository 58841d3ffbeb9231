"""Without a word about the task, the columns tell it, or the person is asked; it is never guessed."""

from collections.abc import Mapping, Sequence

import pytest

from tunegate.errors import UserError
from tunegate.new_pipeline.task import Fit, choose_task

UNIVERSAL = {"tokens": '["Anna", "sleeps"]', "upos": '["PROPN", "VERB"]', "heads": '["2", "0"]'} | {
    "relations": '["nsubj", "root"]'
}


def refused(samples: Mapping[str, str], given: Mapping[str, str] | None = None) -> str:
    with pytest.raises(UserError) as caught:
        choose_task(samples, given or {}, None)
    return f"{caught.value.problem} {caught.value.remedy}"


def test_universal_dependencies_may_be_tagged_or_parsed_and_both_ways_are_named() -> None:
    said = refused(UNIVERSAL)
    assert "--task token_classification --column tags=COLUMN or --task dependency_parsing" in said
    assert "which column is tags" in said


def test_a_person_who_can_be_asked_is_asked() -> None:
    seen: list[Fit] = []

    def ask(fits: Sequence[Fit]) -> str:
        seen.extend(fits)
        return fits[-1].task

    assert choose_task(UNIVERSAL, {}, ask) == "dependency_parsing"
    assert [fit.unnamed for fit in seen] == [("tags",), ()]


def test_a_misspelt_answer_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match='Did you mean "dependency_parsing"'):
        choose_task(UNIVERSAL, {}, lambda fits: "dependency_parser")


def test_a_named_field_tells_the_task() -> None:
    assert choose_task(UNIVERSAL, {"tags": "upos", "group": "doc"}, None) == "token_classification"
    assert choose_task(UNIVERSAL, {"relations": "relations"}, None) == "dependency_parsing"


def test_sentences_without_heads_cannot_be_parsed() -> None:
    assert choose_task(UNIVERSAL | {"heads": '["_", "_"]'}, {}, None) == "token_classification"


def test_columns_of_no_task_are_listed() -> None:
    said = refused({"body": "hello there", "team": "a"})
    assert "body" in said and "hello there" in said and "--task" in said


def test_columns_that_together_are_the_options_tell_a_choice() -> None:
    file = {"question": "Who barks?", "option1": "a cat", "option2": "a dog", "answer": "1"}
    assert choose_task(file, {}, None) == "multiple_choice"
    assert choose_task({"options": '["a", "b"]', "answer": "0"}, {}, None) == "multiple_choice"
    assert choose_task(
        {"sent0": "a", "sent1": "b", "label": "0"}, {"options": "sent0,sent1", "answer": "label"}, None
    ) == ("multiple_choice")
    assert "No task's columns" in refused({"question": "Who barks?", "option1": "a cat", "answer": "0"})


def test_a_text_alone_is_pre_trained_on_and_one_with_another_column_is_not() -> None:
    assert choose_task({"text": "It rains."}, {}, None) == "pretraining"
    assert choose_task({"text": "It rains.", "label": "weather"}, {}, None) == "text_classification"
    assert choose_task({"text": "It rains.", "kind": "weather"}, {}, None) == "text_classification"


def test_a_text_with_blanks_and_words_for_them_is_an_open_cloze() -> None:
    file = {"text": "Fish live in _.", "words": "water"}
    assert "--task open_cloze" in refused(file)  # beside a label that the person would have to name
    assert choose_task(file, {"words": "words"}, None) == "open_cloze"
    assert choose_task({"text": "Fish live in water."}, {}, None) != "open_cloze"
