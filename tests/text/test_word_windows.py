"""Every word is answered for exactly once, by a window that holds it, however long the record is."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.text.vocabularies.test_vocabularies import made
from tests.tiny import tiny_tokenizer
from tunegate.task import TextTokenizer
from tunegate.text.tokens import load_tokenizer
from tunegate.text.word_windows import word_windows
from tunegate.text.words import joined_starts, split_words

WORDS = ["rain", "rainy", "sun", "unbelievably", "x", "好"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), ["rain sun x un believ ably 好"]))


@settings(deadline=None, max_examples=60)
@given(lists=st.lists(st.lists(st.sampled_from(WORDS), max_size=60), min_size=1, max_size=4), size=st.integers(6, 24))
def test_every_word_is_owned_once_in_a_window_that_holds_it(
    tokenizer: TextTokenizer, lists: list[list[str]], size: int
) -> None:
    words = pa.chunked_array([pa.array(lists, pa.list_(pa.string()))])
    windows = word_windows(words, tokenizer, size)
    assert windows.lengths.max() <= size
    record, owned = np.repeat(windows.record, windows.lengths), windows.positions["owned"] == 1
    answered = list(zip(record[owned].tolist(), windows.positions["word"][owned].tolist(), strict=True))
    assert answered == [(row, word) for row, each in enumerate(lists) for word in range(len(each))]
    assert set(windows.record.tolist()) == set(range(len(lists)))
    assert not windows.dropped.any()


def test_a_sentence_of_3000_words_has_3000_answers(tokenizer: TextTokenizer) -> None:
    words = pa.chunked_array([pa.array([["rain", "sun", "x"] * 1000], pa.list_(pa.string()))])
    windows = word_windows(words, tokenizer, 64)
    assert len(windows) > 50
    assert windows.positions["owned"].sum() == 3000
    own = windows.positions["word"][windows.positions["owned"] == 1]
    assert np.array_equal(own, np.arange(3000))


def test_a_words_answer_is_read_off_its_first_piece_and_not_off_the_mark_before_it() -> None:
    """SentencePiece's mark stands alone before what no piece holds together with it."""
    tokenizer = made("unigram")
    words = ["weather", "x", ":", "今", "天", "今天", "☃"]
    windows = word_windows(pa.chunked_array([pa.array([words], pa.list_(pa.string()))]), tokenizer, 32)
    owned = windows.positions["owned"] == 1
    leading = [tokenizer.tokenizer.id_to_token(number) for number in windows.tokens["input_ids"][owned].tolist()]
    assert leading == ["▁weather", "<unk>", ":", "今", "天", "今天", "<unk>"]
    assert windows.positions["word"][owned].tolist() == list(range(len(words)))
    tokens = [tokenizer.tokenizer.id_to_token(number) for number in windows.tokens["input_ids"].tolist()]
    assert tokens[tokens.index("今") - 1] == ":" and tokens[tokens.index("天") - 1] == "今"  # as in running text


def test_a_word_without_any_token_is_counted(tokenizer: TextTokenizer) -> None:
    words = pa.chunked_array([pa.array([["rain", "\u200b", "sun"], []], pa.list_(pa.string()))])
    windows = word_windows(words, tokenizer, 16)
    assert windows.dropped.tolist() == [1, 0]
    assert windows.positions["word"].tolist() == [-1, 0, 2, -1, -1, -1]


@given(st.text(max_size=60))
def test_split_words_stand_where_they_say(text: str) -> None:
    words, starts = split_words(text)
    assert all(text[start : start + len(word)] == word for word, start in zip(words, starts, strict=True))
    between = [text[end:start] for end, start in zip([0, *ends(words, starts)], [*starts, len(text)], strict=True)]
    assert all(not char.isalnum() for part in between for char in part)  # nothing that could be read is lost
    assert [" ".join(words)[s : s + len(w)] for w, s in zip(words, joined_starts(words), strict=True)] == words


def ends(words: list[str], starts: list[int]) -> list[int]:
    return [start + len(word) for word, start in zip(words, starts, strict=True)]


def test_chinese_is_split_into_characters_and_the_rest_into_words() -> None:
    words, starts = split_words("我住在Paris，25岁!")
    assert words == ["我", "住", "在", "Paris", "，", "25", "岁", "!"]
    assert starts == [0, 1, 2, 3, 8, 9, 11, 12]
