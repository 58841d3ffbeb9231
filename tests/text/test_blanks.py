"""Words for blanks, as files give them and as they are compared."""

import pytest

from tunegate.text.blanks import same_word, text_with_blanks, words_of

ONE, TWO = {"text": "Fish live in _."}, {"text": "_ live in [MASK]."}


@pytest.mark.parametrize("cell", ["water", " water ", '["water"]'])
def test_one_blank_takes_a_word_or_a_list_of_one(cell: str) -> None:
    assert words_of(cell, ONE) == ["water"]


def test_several_blanks_take_as_many_words() -> None:
    assert words_of('["fish", "water"]', TWO) == words_of("fish water", TWO) == ["fish", "water"]


@pytest.mark.parametrize(
    ("cell", "row", "said"),
    [
        ("New York", ONE, "are 2 for 1 blank: each takes one word"),
        ('["New York"]', ONE, "more than one word"),
        ("fish", TWO, "are 1 for 2 blanks"),
        ('["fish", " "]', TWO, "one that is empty"),
        ("", ONE, "are 0 for 1 blank"),
        ("water", {"text": "Fish live in water."}, "the text has none"),
        ("water", {"text": None}, "the text has none"),
        ('{"word": "water"}', ONE, "are an object"),
        ("[1]", ONE, "are no list of words"),
    ],
)
def test_what_does_not_fill_the_blanks_is_told(cell: str, row: dict[str, str | None], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        words_of(cell, row)


def test_a_text_without_a_blank_is_no_question() -> None:
    assert text_with_blanks("a _") == "a _"
    with pytest.raises(ValueError, match="has no blank"):
        text_with_blanks("snake_case")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("Paris", "paris", True), ("café", "CAFE", True), ("sea", "see", False), ("水", "水", True)],
)
def test_case_and_accents_do_not_count(one: str, other: str, same: bool) -> None:
    assert same_word(one, other) is same
