"""Texts as units: nothing of a text is lost, and each operation moves what it says."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.augmenters.operations import delete, insert, swap
from tunegate.text.augmenters.units import Unit, split_units
from tunegate.text.augmenters.vocabulary import vocabulary_of

TEXTS = st.text(alphabet="ab ,我们的iPhone\n\t 123ก", max_size=30)
UNITS = st.sampled_from(["auto", "words", "characters"])


@given(TEXTS, UNITS)
def test_the_units_of_a_text_give_the_text_back(text: str, unit: Unit) -> None:
    assert str(split_units(text, unit)) == text


@given(TEXTS.filter(str.strip), UNITS, st.integers(0, 5), st.integers(0, 100))
def test_a_swap_keeps_every_unit(text: str, unit: Unit, edits: int, seed: int) -> None:
    units = split_units(text, unit)
    assert sorted(swap(units, edits, Random(seed)).pieces) == sorted(units.pieces)


@given(TEXTS.filter(str.strip), UNITS, st.integers(0, 5), st.integers(0, 100))
def test_a_deletion_leaves_at_least_one_unit(text: str, unit: Unit, edits: int, seed: int) -> None:
    units = split_units(text, unit)
    kept = delete(units, edits, Random(seed)).pieces
    assert len(kept) == max(1, len(units.pieces) - edits)
    assert all(piece in units.pieces for piece in kept)


@given(TEXTS.filter(str.strip), UNITS, st.integers(0, 5), st.integers(0, 100))
def test_an_insertion_adds_units_of_the_text(text: str, unit: Unit, edits: int, seed: int) -> None:
    units = split_units(text, unit)
    longer = insert(units, edits, Random(seed), None)
    assert len(longer.pieces) == len(units.pieces) + edits
    assert set(longer.pieces) == set(units.pieces)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("two words", ("two", "words")),
        ("我的 iPhone 坏了", ("我", "的", "iPhone", "坏", "了")),
        ("見積もり", ("見", "積", "も", "り")),
        ("주문", ("주", "문")),
        ("Hi 你", ("Hi", "你")),
    ],
)
def test_characters_are_taken_where_a_script_writes_no_spaces(text: str, pieces: tuple[str, ...]) -> None:
    assert split_units(text, "auto").pieces == pieces


def test_an_inserted_word_is_parted_by_a_space_and_a_chinese_character_is_not() -> None:
    assert str(split_units("one two", "words").inserted(1, "x")) == "one x two"
    assert str(split_units("one two", "words").inserted(2, "x")) == "one two x"
    assert str(split_units("one two", "words").inserted(0, "x")) == "x one two"
    assert str(split_units("我们", "characters").inserted(1, "的")) == "我的们"


@given(st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1), st.text("uvw", min_size=1), st.floats(0, 0.99))
def test_a_new_word_takes_only_its_own_picks(texts: list[str], word: str, share: float) -> None:
    before, after = vocabulary_of(texts, "words").pick(share), vocabulary_of([*texts, word], "words").pick(share)
    assert after in (before, word)
