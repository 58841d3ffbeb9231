"""What a tokenizer makes of texts, in numbers that can be compared between tokenizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.task import TextTokenizer
from tunegate.text.words import split_words

CHUNK = 2_000  # texts per batch call


@dataclass(frozen=True)
class Measures:
    """Of texts as a tokenizer reads them, special tokens aside; shares are between 0 and 1.

    A word is a run of letters and digits, one other sign, or one character of Chinese.
    """

    vocabulary: int
    texts: int
    tokens_per_text: float
    tokens_95: float  # 95 of 100 texts have at most so many
    fertility: float  # tokens per word
    whole_words: float  # share of words that are one token, and no unknown one
    unknown_rate: float  # share of tokens that are unknown
    coverage: float  # share of characters that stand in known tokens


def measured(tokenizer: TextTokenizer, texts: Sequence[str]) -> Measures:
    """There must be a text."""
    sums = np.zeros(6)
    lengths: list[int] = []
    for start in range(0, len(texts), CHUNK):
        some = list(texts[start : start + CHUNK])
        for text, encoding in zip(some, tokenizer.tokenizer.encode_batch(some, add_special_tokens=False), strict=True):
            lengths.append(len(encoding.ids))
            sums += _counts(text, encoding, tokenizer.unknown_id)
    tokens, unknown, words, whole, characters, lost = sums.tolist()
    return Measures(
        vocabulary=tokenizer.vocabulary_size,
        texts=len(texts),
        tokens_per_text=tokens / len(texts),
        tokens_95=float(np.percentile(lengths, 95, method="higher")),
        fertility=tokens / max(1, words),
        whole_words=whole / max(1, words),
        unknown_rate=unknown / max(1, tokens),
        coverage=1 - lost / max(1, characters),
    )


def _counts(text: str, encoding: Any, unknown_id: int | None) -> NDArray[np.float64]:
    """Tokens, unknown ones, words, those of one known token, characters, and those in unknown tokens."""
    ids = np.array(encoding.ids, dtype=np.int64)
    spots = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    visible = np.array([not character.isspace() for character in text], dtype=bool)
    unknown = ids == (-1 if unknown_id is None else unknown_id)
    lost = np.zeros(len(text), dtype=bool)
    for first, last in spots[unknown]:
        lost[first:last] = True
    starts = np.array(split_words(text)[1], dtype=np.int64)
    # By its last character: the first may be the blank before the word.
    word = np.searchsorted(starts, spots[:, 1] - 1, side="right") - 1
    first = np.searchsorted(starts, spots[:, 0], side="right") - 1
    pieces = np.bincount(np.maximum(word, 0), minlength=max(1, len(starts)))[: len(starts)]
    alone = (pieces == 1) & ~np.isin(np.arange(len(starts)), word[unknown])
    shared = np.isin(np.arange(len(starts)), first[first < word])  # with the next word in one token
    return np.array(
        [len(ids), unknown.sum(), len(starts), (alone & ~shared).sum(), visible.sum(), (lost & visible).sum()]
    )
