"""A person's own synonyms: whole words only, Chinese ones where its words end, and the rest of the text untouched."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.augmenters.synonyms import read_synonyms
from tunegate.text.augmenters.units import split_units
from tunegate.text.chinese_words import by_dictionary

OWN = read_synonyms(
    "# comment\nbroken, damaged\nthank you\tthanks\n好 棒\n上海，沪\nAa01A01= 人 人士\nAa01A02# 岸 海\nalone\n"
)


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("The lamp is broken.", "The lamp is damaged."),
        ("BROKEN lamp, Broken shade", "DAMAGED lamp, Damaged shade"),
        ("unbroken, broken-hearted, brokenly", "unbroken, broken-hearted, brokenly"),
        ("Thank you!", "Thanks!"),
        ("thankyou and thank  you", "thankyou and thank  you"),
        ("上海很好", "沪很棒"),
        ("一个人,海岸", "一个人士,海岸"),
        ("", ""),
    ],
)
def test_words_of_a_group_stand_for_each_other_and_nothing_else_moves(text: str, replaced: str) -> None:
    assert OWN.replaced(text, 9, Random(0)) == replaced


def test_a_segmented_text_is_changed_at_its_words_only() -> None:
    segment = by_dictionary(["海上", "上海"])
    assert OWN.replaced("海上海岸", 9, Random(0)) == "海沪岸"
    assert OWN.replaced("海上海岸", 9, Random(0), segment) == "海上海岸"
    assert OWN.replaced("在上海", 9, Random(0), segment) == "在沪"


@given(st.text(max_size=40), st.integers(0, 3), st.integers(0, 100))
def test_no_more_words_are_replaced_than_asked_for(text: str, edits: int, seed: int) -> None:
    changed = OWN.replaced(f"{text} broken", edits, Random(seed))
    assert (changed == f"{text} broken") == (edits == 0)


def test_a_file_without_a_group_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no two words"):
        read_synonyms("alone\n\nAa01A02# 岸 海\n")


@given(st.text(alphabet="上海我们的ab ,", max_size=30))
def test_segmented_units_give_the_text_back_and_are_the_dictionarys_words(text: str) -> None:
    units = split_units(text, "characters", by_dictionary(["上海", "我们"]))
    assert str(units) == text
    assert all(len(piece) == 1 or piece in ("上海", "我们") or piece.isascii() for piece in units.pieces)
