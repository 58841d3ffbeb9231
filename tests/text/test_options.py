"""What a file says of options and of the right one, and how an option stands beside its question."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunegate.text.blanks import count_blanks, filled
from tunegate.text.options import beside, options, place_of_answer

CITIES = {"options": ["Rome", "Paris", "Oslo"]}
NUMBERS = {"options": ["2", "3", "5"]}


@pytest.mark.parametrize(
    ("cell", "place"), [("Paris", 1), (" Paris ", 1), ("1", 1), ("B", 1), ("c", 2), ('{"index": 2}', 2)]
)
def test_an_answer_is_a_text_a_letter_or_a_number_from_zero(cell: str, place: int) -> None:
    assert place_of_answer(cell, CITIES) == place


@pytest.mark.parametrize("cell", ["Berlin", "3", "-1", "D", "", '{"index": 3}', '{"no": 1}', "{broken", "²"])
def test_what_is_none_of_the_options_is_told_with_the_ways_to_say_one(cell: str) -> None:
    with pytest.raises(ValueError, match=r"is none of its 3 options.*ingest\.first_option"):
        place_of_answer(cell, CITIES)


def test_a_slip_is_answered_with_the_nearest_option() -> None:
    with pytest.raises(ValueError, match="did you mean 'Paris'"):
        place_of_answer("Pariss", CITIES)


def test_a_number_that_is_one_options_text_and_anothers_place_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="number 0 or number 2 from 0"):
        place_of_answer("2", NUMBERS)
    assert place_of_answer('{"text": "2"}', NUMBERS) == 0
    assert place_of_answer('{"index": 2}', NUMBERS) == 2
    assert place_of_answer("5", NUMBERS) == 2


def test_the_text_of_two_options_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="more than one option"):
        place_of_answer("same", {"options": ["same", "same"]})


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.text(min_size=1, max_size=8).filter(lambda text: text.strip() == text), min_size=2, max_size=6, unique=True
    )
)
def test_every_option_is_meant_by_its_own_index_and_text(found: list[str]) -> None:
    for place, text in enumerate(found):
        assert place_of_answer(json.dumps({"index": place}), {"options": found}) == place
        assert place_of_answer(json.dumps({"text": text}), {"options": found}) == place


def test_options_are_a_list_or_an_object_of_texts() -> None:
    assert options('["a", "b"]') == ["a", "b"]
    assert options('{"A": "yes", "B": "no"}') == ["yes", "no"]


@pytest.mark.parametrize("cell", ["a b", '["a", 1]', '{"A": 1, "B": 2}', "5", "[", "{", '{"A": ["a"]}'])
def test_what_is_no_list_of_texts_is_told(cell: str) -> None:
    with pytest.raises(ValueError, match="are no list of texts"):
        options(cell)


def test_one_option_alone_is_no_choice() -> None:
    with pytest.raises(ValueError, match="are fewer than 2"):
        options('["a"]')


def test_an_option_follows_the_question_or_fills_its_blank_and_a_context_stands_first() -> None:
    assert beside("Where?", None, "here") == ("Where?", "here")
    assert beside("Where?", "A story.", "here") == ("A story.", "Where? here")
    assert beside(None, "A story.", "here") == ("A story.", "here")
    assert beside("We go _.", None, "home") == ("We go home.", None)
    assert beside("We go _.", "A story.", "home") == ("A story.", "We go home.")
    assert beside(None, None, "It rains up.") == ("It rains up.", None)
    assert beside("", "", "It rains up.") == ("It rains up.", None)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a _ b", 1),
        ("a ____ b", 1),
        ("_ and _", 2),
        ("a [MASK].", 1),
        ("snake_case", 0),
        ("我去__。", 1),
        ("x_", 0),
        ("", 0),
    ],
)
def test_a_blank_is_a_run_of_underscores_that_is_no_part_of_a_word(text: str, count: int) -> None:
    assert count_blanks(text) == count


def test_words_with_backslashes_fill_a_blank_as_they_are() -> None:
    assert filled("a _ b", r"\1 \g<0>") == r"a \1 \g<0> b"
