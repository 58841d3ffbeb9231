"""In every window each word's head is found where it stands, if the window holds it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiny import tiny_tokenizer
from tunegate.errors import UserError
from tunegate.task import TextTokenizer
from tunegate.text.tokens import load_tokenizer
from tunegate.text.word_pairs import asked, candidates, local_heads
from tunegate.text.word_windows import word_windows
from tunegate.windows import Windows

WORDS = ["rain", "rainy", "sun", "unbelievably", "x"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    return load_tokenizer(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), ["rain sun x un believ ably"]))


def windows_of(lists: list[list[str]], tokenizer: TextTokenizer, size: int) -> Windows:
    return word_windows(pa.chunked_array([pa.array(lists, pa.list_(pa.string()))]), tokenizer, size)


@settings(deadline=None, max_examples=60)
@given(
    lists=st.lists(st.lists(st.sampled_from(WORDS), max_size=40), min_size=1, max_size=3),
    size=st.integers(6, 24),
    seed=st.integers(0, 99),
)
def test_a_head_is_found_at_its_words_first_token_wherever_the_window_holds_it(
    tokenizer: TextTokenizer, lists: list[list[str]], size: int, seed: int
) -> None:
    windows, random = windows_of(lists, tokenizer, size), np.random.default_rng(seed)
    words = asked(windows)
    assert len(words.flat) == sum(map(len, lists))
    heads = np.array([random.integers(0, len(lists[windows.record[window]]) + 1) for window in words.window], np.int64)
    found = local_heads(windows, words, heads)
    for window, head, local in zip(words.window, heads, found, strict=True):
        tokens = windows.positions["word"][windows.offsets[window] : windows.offsets[window + 1]].tolist()
        assert local == (0 if head == 0 else tokens.index(head - 1) if head - 1 in tokens else -1)


@settings(deadline=None, max_examples=40)
@given(lists=st.lists(st.lists(st.sampled_from(WORDS), max_size=40), min_size=1, max_size=3), size=st.integers(6, 24))
def test_heads_may_be_the_root_and_each_word_of_the_window_once(
    tokenizer: TextTokenizer, lists: list[list[str]], size: int
) -> None:
    windows = windows_of(lists, tokenizer, size)
    able = candidates(windows)
    starts = able.starts(len(windows))
    for window in range(len(windows)):
        here = windows.positions["word"][windows.offsets[window] : windows.offsets[window + 1]]
        words = able.word[starts[window] : starts[window + 1]].tolist()
        assert words == [0, *sorted({int(word) + 1 for word in here if word >= 0})]


def bare(word: list[int]) -> Windows:
    return Windows(
        tokens={"input_ids": np.zeros(len(word), np.int32)},
        offsets=np.array([0, len(word)]),
        record=np.array([0]),
        number=np.array([0], np.int32),
        dropped=np.array([0], np.int32),
        positions={"word": np.array(word, np.int32), "owned": np.array([int(each >= 0) for each in word], np.int32)},
    )


def test_tokens_of_the_tokenizers_own_may_stand_after_the_text() -> None:
    able = candidates(bare([0, 0, 1, -1, -1]))
    assert able.word.tolist() == [0, 1, 2] and able.local.tolist() == [3, 0, 2]


def test_a_tokenizer_without_tokens_of_its_own_has_no_place_for_the_root() -> None:
    with pytest.raises(UserError, match="a tree's root needs one"):
        candidates(bare([0, 1]))


def test_no_windows_have_no_heads() -> None:
    empty = bare([-1]).take(np.zeros(0, np.int64))
    assert len(local_heads(empty, asked(empty), np.zeros(0, np.int64))) == 0
