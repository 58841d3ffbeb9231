"""An answer stands where the data says, or at its only place; the span that is learnt is the one most people gave."""

from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.answer_places import place_of, places_of, span_to_learn, trimmed

PASSAGE = "Anna met Anna in Rome"


def test_the_data_says_where_it_stands_and_is_not_put_right() -> None:
    assert place_of(PASSAGE, {"text": "Anna", "start": 9}) == 9
    assert place_of(PASSAGE, {"text": "Anna", "start": 8}) is None
    assert place_of(PASSAGE, {"text": "Rome", "start": -4}) is None  # not from the end, as Python would count
    assert place_of(PASSAGE, {"text": " ", "start": 4}) is None


def test_without_a_start_the_only_place_counts_and_of_two_none() -> None:
    assert place_of(PASSAGE, {"text": "Rome", "start": None}) == 17
    assert place_of(PASSAGE, {"text": "Anna", "start": None}) is None
    assert place_of(PASSAGE, {"text": "Oslo", "start": None}) is None


@given(st.text("ab", max_size=12), st.text("ab", min_size=1, max_size=3))
def test_places_are_all_places(passage: str, text: str) -> None:
    wanted = [place for place in range(len(passage)) if passage[place:].startswith(text)]
    assert places_of(passage, text, most=20) == wanted
    assert places_of(passage, text, most=2) == wanted[:2]


def test_the_answer_that_most_people_gave_is_learnt_without_white_space() -> None:
    answers = [
        {"text": "Anna", "start": 0},
        {"text": "Oslo", "start": 0},
        {"text": "in Rome", "start": 14},
        {"text": "in Rome", "start": 14},
    ]
    assert span_to_learn(PASSAGE, answers) == (14, 21)
    assert span_to_learn(PASSAGE, answers[:3]) == (0, 4)  # of equals the first
    assert span_to_learn(PASSAGE, [{"text": " in ", "start": 13}]) == (14, 16)
    assert span_to_learn(PASSAGE, answers[1:2]) is None


@given(st.text(" a\n", max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_trimming_leaves_out_white_space_alone(passage: str, start: int, end: int) -> None:
    first, last = trimmed(passage, start, end)
    assert passage[first:last] == passage[start:end].strip()
