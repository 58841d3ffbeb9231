"""Hidden words: how many, which, and that nothing but seed and window decides."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tunegate.text.masking import NO_WORD, NOTHING, SHARE, Masking, hidden_words, masked
from tunegate.text.words import split_words

MASK, FIRST, VOCABULARY = 4, 10, 1000
MASKING = Masking(MASK, np.arange(FIRST, VOCABULARY, dtype=np.int32))

Windows = list[list[list[int]]]  # windows of words of tokens

windows_of_words = st.lists(
    st.lists(st.lists(st.integers(FIRST, VOCABULARY - 1), min_size=1, max_size=4), max_size=12), min_size=1, max_size=8
)


def flat(windows: Windows) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """With a special token (1) before and after each window."""
    ids = [[1, *(token for word in window for token in word), 2] for window in windows]
    words = [[NO_WORD, *(number for number, word in enumerate(window) for _ in word), NO_WORD] for window in windows]
    offsets = np.concatenate([[0], np.cumsum([len(window) for window in ids])]).astype(np.int64)
    flat_ids, flat_words = ([one for window in all_of for one in window] for all_of in (ids, words))
    return np.array(flat_ids, np.int32), np.array(flat_words, np.int32), offsets


@given(windows_of_words, st.integers(0, 2**40))
@settings(max_examples=60, deadline=None)
def test_words_are_hidden_whole_special_tokens_never_and_all_else_stays(windows: Windows, seed: int) -> None:
    ids, words, offsets = flat(windows)
    shown, wanted = masked(ids, words, offsets, seed, MASKING)
    hidden = wanted != NOTHING
    assert (wanted[hidden] == ids[hidden]).all()
    assert (shown[~hidden] == ids[~hidden]).all()
    assert not hidden[words == NO_WORD].any()
    assert ((shown == MASK) | (shown >= FIRST))[words != NO_WORD].all()
    for start, end in pairwise(offsets):
        for word in set(words[start:end].tolist()) - {NO_WORD}:
            assert len(set(hidden[start:end][words[start:end] == word].tolist())) == 1
        assert hidden[start:end].any() == (words[start:end] != NO_WORD).any()


@given(windows_of_words, windows_of_words, st.integers(0, 2**40))
@settings(max_examples=40, deadline=None)
def test_a_windows_masks_do_not_depend_on_other_windows(windows: Windows, before: Windows, seed: int) -> None:
    alone = masked(*flat(windows), seed, MASKING)
    among = masked(*flat([*before, *windows]), seed, MASKING)
    assert all((own == other[-len(own) :]).all() for own, other in zip(alone, among, strict=True))


def test_fifteen_of_a_hundred_words_are_hidden_eight_in_ten_as_the_mask_one_as_another_one_as_it_is() -> None:
    random = np.random.default_rng(0)
    windows = [[[int(token)] for token in random.integers(FIRST, VOCABULARY, 100)] for _ in range(400)]
    ids, words, offsets = flat(windows)
    shown, wanted = masked(ids, words, offsets, 7, MASKING)
    hidden = wanted != NOTHING
    assert abs(hidden.sum() / (words != NO_WORD).sum() - SHARE) < 0.006  # 3 standard deviations
    assert abs((shown[hidden] == MASK).mean() - 0.8) < 0.02
    kept = (shown == ids)[hidden].mean()
    assert abs(kept - 0.1) < 0.015
    others = shown[hidden & (shown != MASK) & (shown != ids)]
    assert len(np.unique(others)) > 300  # drawn from all of the vocabulary


def test_each_seed_hides_others_and_the_same_seed_the_same() -> None:
    ids, words, offsets = flat([[[token] for token in range(FIRST, FIRST + 60)]] * 3)
    first, again, other = (masked(ids, words, offsets, seed, MASKING)[1] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


@given(st.text(max_size=60))
@settings(max_examples=40, deadline=None)
def test_a_text_is_judged_by_whole_words_of_its_own(text: str) -> None:
    words, starts = split_words(text)
    spans = {(start, start + len(word)) for word, start in zip(words, starts, strict=True)}
    chosen = hidden_words(text)
    assert set(chosen) <= spans
    assert bool(chosen) == bool(words)
    assert chosen == hidden_words(text)


def test_a_long_text_is_judged_by_fifteen_of_a_hundred_words() -> None:
    text = " ".join(f"word{number}" for number in range(20_000))
    assert abs(len(hidden_words(text)) / 20_000 - SHARE) < 0.01
