"""Hiding words, to learn to fill them in (BERT, Devlin et al. 2019, section 3.1 and appendix A.1).

Two ways. `masked` hides tokens for training: another choice under every seed, and a function of the seed and the
window's own tokens alone, so that a resumed run hides the same and new rows change nothing for old ones.
`hidden_words` chooses the words that a text is judged by: of the text alone, so that every model, whatever its
tokenizer, and every baseline is asked the same words.
"""

from dataclasses import dataclass

import numpy as np
import xxhash
from numpy.typing import NDArray

from tunegate.text.words import split_words

SHARE = 0.15  # of the words; of those 80 % become the mask, 10 % another token, and 10 % stay (Devlin et al. 2019)
AS_MASK, AS_OTHER = 0.8, 0.1
NO_WORD = -1  # the word of a special token
NOTHING = -1  # what is wanted where nothing is hidden

Ids = NDArray[np.int32]
Keys = NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)  # splitmix64 (Steele, Lea and Flood 2014): any counter becomes a random number
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True)
class Masking:
    """What a tokenizer hides tokens with: the mask's id, and the ids that may stand in another's place, int32 [k]."""

    mask: int
    others: Ids
    share: float = SHARE


def masked(ids: Ids, words: Ids, offsets: NDArray[np.int64], seed: int, masking: Masking) -> tuple[Ids, Ids]:
    """Tokens of windows, flat [t], with some words hidden; and what stood there, NOTHING elsewhere.

    `words` numbers each token's word within its window, NO_WORD where nothing may be hidden. A word is hidden whole or
    not at all, and each window with a word has one hidden.
    """
    lengths = np.diff(offsets)
    window = np.repeat(np.arange(len(lengths)), lengths)
    key = _mixed(_window_keys(ids, offsets), seed)[window]
    place = np.arange(len(ids)) - offsets[:-1][window]
    drawn = np.where(words == NO_WORD, 2.0, _uniform(_mixed(key, 2 * words.astype(np.int64))))
    lowest = np.full(len(lengths), 2.0)
    np.minimum.at(lowest, window, drawn)
    hidden = (words != NO_WORD) & ((drawn < masking.share) | (drawn == lowest[window]))
    fate = _uniform(_mixed(key, 2 * place + 1))  # odd numbers: independent of the words' even ones
    other = masking.others[(_uniform(_mixed(key, -place - 1)) * len(masking.others)).astype(np.int64)]
    shown = np.where(fate < AS_MASK, masking.mask, np.where(fate < AS_MASK + AS_OTHER, other, ids))
    return np.where(hidden, shown, ids).astype(np.int32), np.where(hidden, ids, NOTHING).astype(np.int32)


def hidden_words(text: str) -> list[tuple[int, int]]:
    """Where the words start and end, in characters, that the text is judged by: SHARE of them, at least one."""
    words, starts = split_words(text)
    drawn = [_share_of(text, number) for number in range(len(words))]
    lowest = min(drawn, default=0.0)
    return [
        (start, start + len(word))
        for word, start, share in zip(words, starts, drawn, strict=True)
        if share < SHARE or share == lowest
    ]


def _share_of(text: str, number: int) -> float:
    return xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"), seed=number) / 2.0**64


def _window_keys(ids: Ids, offsets: NDArray[np.int64]) -> Keys:
    """A number for each window's tokens in their order, uint64 [n]."""
    lengths = np.diff(offsets)
    window = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(ids)) - offsets[:-1][window]
    keys = np.zeros(len(lengths), dtype=np.uint64)
    np.add.at(keys, window, _mixed(ids.astype(np.int64).astype(np.uint64), place))
    return keys


def _mixed(keys: Keys, number: "int | NDArray[np.int64]") -> Keys:
    """Keys and numbers as new keys; equal ones give equal ones."""
    with np.errstate(over="ignore"):
        mixed = keys + _STEP * (np.asarray(number).astype(np.uint64) + np.uint64(1))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def _uniform(keys: Keys) -> NDArray[np.float64]:
    """From 0 up to, not including, 1: the upper 53 bits, all that a double holds."""
    return (keys >> np.uint64(11)).astype(np.float64) / 2.0**53
