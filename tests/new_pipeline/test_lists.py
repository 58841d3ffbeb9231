"""Columns that together are a list are found by their names, or said."""

import pytest

from tunegate.new_pipeline.lists import choose_lists
from tunegate.tasks import record_of

PAYLOAD = record_of("multiple_choice").PAYLOAD


@pytest.mark.parametrize(
    "names",
    [["option1", "option2"], ["OptionA", "OptionB", "OptionC"], ["option_0", "option_1"], ["Option a", "Option b"]],
)
def test_columns_named_for_the_field_with_a_letter_or_number_are_its_members(names: list[str]) -> None:
    found, given = choose_lists(PAYLOAD, dict.fromkeys(["id", *names, "answer", "optional"], "x"), {"question": "q"})
    assert found == {"options": names}
    assert given == {"question": "q"}


def test_columns_of_other_names_are_said_with_commas() -> None:
    found, given = choose_lists(PAYLOAD, {"sent0": "x", "sent1": "y"}, {"options": "sent0, sent1", "answer": "label"})
    assert found == {"options": ["sent0", "sent1"]}
    assert given == {"answer": "label"}


@pytest.mark.parametrize(
    ("found", "given"),
    [
        ({"options": "[]", "option1": "x", "option2": "y"}, {}),  # the field's own column is there
        ({"choices": "[]", "option1": "x", "option2": "y"}, {"options": "choices"}),
        ({"option1": "x", "answer": "y"}, {}),  # one alone is no list
        ({"a,b": "[]"}, {"options": "a,b"}),  # a column may be named so
    ],
)
def test_a_column_that_is_the_whole_list_needs_no_members(found: dict[str, str], given: dict[str, str]) -> None:
    assert choose_lists(PAYLOAD, found, given) == ({}, given)


def test_other_tasks_have_no_lists_to_find() -> None:
    assert choose_lists(record_of("text_classification").PAYLOAD, {"text1": "x", "text2": "y"}, {}) == ({}, {})
