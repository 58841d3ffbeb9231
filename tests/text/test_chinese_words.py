"""Chinese words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunegate.text.chinese_words import by_dictionary, by_rjieba, read_dictionary, word_starts
from tunegate.text.words import split_words


def test_the_longest_word_of_the_dictionary_is_taken() -> None:
    segment = by_dictionary(["北京", "北京大学", "大学", "学生"])
    assert segment("北京大学学生来了") == ["北京大学", "学生", "来", "了"]
    text = "I met 北京大学学生 in 2020."
    words = [
        text[start:end]
        for start, end in zip(word_starts(text, segment), [*word_starts(text, segment)[1:], None], strict=True)
    ]
    assert [word.strip() for word in words] == ["I", "met", "北京大学", "学生", "in", "2020", "."]


@given(st.text(alphabet="北京大学生ab 1.", max_size=30))
def test_words_start_where_words_or_characters_do(text: str) -> None:
    starts = word_starts(text, by_dictionary(["北京", "大学生", "大学"]))
    assert set(starts) <= set(split_words(text)[1])
    assert word_starts(text, list) == split_words(text)[1]


def test_what_stands_behind_a_word_in_the_dictionary_is_not_read() -> None:
    assert read_dictionary("北京 34488 ns\n\n大学\t20025\n学生\n") == ["北京", "大学", "学生"]


def test_rjieba_knows_words() -> None:
    pytest.importorskip("rjieba")
    assert by_rjieba()("我来到北京大学") == ["我", "来到", "北京大学"]
