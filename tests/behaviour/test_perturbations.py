"""Perturbations: what they change, what they leave alone, and the same result for the same seed."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.behaviour.perturbations import PERTURBATIONS, added, perturbed
from tunegate.behaviour.schema import Perturb

NAMES = {"name": ["Anna", "Wei", "Mehmet", "Anna-Lena", "王芳", "李娜"]}
SETTINGS = {"swap": {"words": "name"}, "add": {"texts": ["Thank you."]}}


def change(text, name, seed=0, **settings):
    return perturbed(text, Perturb.model_validate({name: settings or SETTINGS.get(name, {})}), Random(seed), NAMES)


@given(text=st.text(max_size=80), seed=st.integers(0, 99), name=st.sampled_from(sorted(PERTURBATIONS)))
def test_no_text_breaks_a_perturbation_and_a_seed_repeats_it(text, seed, name):
    assert change(text, name, seed) == change(text, name, seed)


@given(seed=st.integers(0, 500))
def test_a_typo_is_one_slip_inside_one_longer_word(seed):
    text = "Where is my parcel, please?"
    typed = change(text, "typos", seed)
    before, after = text.split(), typed.split()
    [different] = [(old, new) for old, new in zip(before, after, strict=True) if old != new] or [("", "")]
    assert abs(len(typed) - len(text)) <= 1
    assert different[0][:1] == different[1][:1]  # nobody mistypes the first letter
    assert different[0] in ("", "Where", "parcel,", "please?")


@given(seed=st.integers(0, 200), edits=st.integers(1, 5))
def test_chinese_slips_swap_neighbours_and_lose_no_character(seed, edits):
    typed = change("我的包裹还没有到", "typos", seed, edits=edits)
    assert sorted(typed) == sorted("我的包裹还没有到")


def test_short_words_are_not_mistyped():
    assert change("is it me or you", "typos") == "is it me or you"


def test_case_is_written_as_asked():
    assert change("Hello Anna", "case", to="upper") == "HELLO ANNA"
    assert change("Hello Anna", "case") == "hello anna"
    assert change("你好", "case", to="upper") == "你好"


def test_a_blank_that_asks_for_a_word_stays() -> None:
    assert change("Fish live in _, not [MASK]!", "punctuation") == "Fish live in _ not [MASK]"
    assert change("Fish live in [MASK].", "case", to="lower") == "fish live in [MASK]."


def test_dropping_punctuation_keeps_words_and_numbers_whole():
    assert change("Don't! It cost 3.50 (e-mail me) - ok?", "punctuation") == "Don't It cost 3.50 e-mail me ok"
    assert change("你好，我的包裹在哪里？", "punctuation") == "你好我的包裹在哪里"


def test_added_marks_are_those_of_the_script():
    assert change("Where is it", "punctuation", way="add")[11:] in ("!", "!!", "...", " .")
    assert change("在哪里", "punctuation", way="add")[3:] in ("！", "！！", "……", "。")


@given(seed=st.integers(0, 99))
def test_white_space_changes_nothing_but_white_space(seed):
    text = "my lamp is broken"
    changed = change(text, "whitespace", seed)
    assert changed != text
    assert changed.split() == text.split()


def test_names_are_swapped_as_whole_words():
    swapped = change("Anna and Annabel, from Wei", "swap", 3)
    first, _, second, _, third = swapped.replace(",", "").split()
    assert second == "Annabel"
    assert first in NAMES["name"] and first != "Anna"
    assert third in NAMES["name"] and third not in ("Wei", first)


def test_the_longer_name_wins():
    assert "Lena" not in change("Anna-Lena", "swap")


def test_chinese_names_are_found_without_blanks():
    swapped = change("我是王芳的妹妹", "swap")
    assert "王芳" not in swapped
    assert swapped.startswith("我是") and swapped.endswith("的妹妹")


def test_a_text_without_a_name_stays():
    assert change("where is my parcel", "swap") == "where is my parcel"


@given(text=st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_full_width_and_back_is_the_same_text(text):
    wide = change(text, "width", to="full")
    assert change(wide, "width", to="half") == text
    assert all(ord(letter) > 0x7F for letter in wide)


def test_half_width_turns_what_keyboards_mix():
    assert change("订单１２３，ＯＫ？", "width", to="half") == "订单123,OK?"


def test_simplified_and_traditional_are_each_others_forms():
    assert change("我的包裹还没发货", "traditional") == "我的包裹還沒發貨"
    assert change("我的包裹還沒發貨", "simplified") == "我的包裹还没发货"
    assert change("no Chinese here", "traditional") == "no Chinese here"


def test_an_addition_stands_as_the_script_wants():
    assert added("Where is it?", "Thanks.", "end") == "Where is it? Thanks."
    assert added("在哪里？", "谢谢！", "end") == "在哪里？谢谢！"
    assert added("Where is it?", "Hello,", "start") == "Hello, Where is it?"


@pytest.mark.parametrize("wrong", [{}, {"typos": {}, "case": {}}])
def test_a_perturbation_is_just_one(wrong):
    with pytest.raises(ValueError, match="must be one of typos, case"):
        Perturb.model_validate(wrong)
