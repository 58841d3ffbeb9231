"""Texts that nearly equal known ones: the words of both, counted, overlap by four fifths of all or more (Jaccard).

Case, punctuation and the order of words do not count; in scripts without spaces each character is a word. One word
more in four, or one replaced in ten, is still near; one replaced in five is not. Strictly, pairs of neighbouring words
are counted in the place of words, in each of a row's texts for itself: one word replaced in 19 is still near, and short
questions that share their words but not their sense are not. Exact, not sampled: candidates come
from prefix filtering (Bayardo, Ma and Srikant 2007, Scaling Up All Pairs Similarity Search, section 3), whose cost
grows with how often the rarer words of a text occur. `KnownTexts` is all that others know; a faster one (MinHash)
replaces it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from tunegate.text.normalise import IGNORED, near_keys

SHARED, OF = 4, 5  # the share of words, in whole numbers: 0.8 * 35 is more than 28
NOBODY = -2
PLACE_BITS = 8  # of a word's number, the highest: which of the row's texts it stands in
UNSPACED = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"

Keys = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class _Bags:
    """Each row's words as distinct 64-bit numbers (a word's second occurrence has a number of its own), row by row."""

    words: Keys
    starts: Numbers  # [n + 1]

    def of(self, row: int) -> Keys:
        return self.words[self.starts[row] : self.starts[row + 1]]

    @property
    def sizes(self) -> Numbers:
        return np.diff(self.starts)


class KnownTexts:
    """Rows of texts in groups (from -1 up), to be asked for a near twin in another group."""

    def __init__(self, columns: Sequence[pa.Array], groups: Numbers, *, strict: bool = False) -> None:
        """`columns`: the rows' texts, one array per text column."""
        self._groups, self._strict = groups, strict
        self._bags = _bags(columns, strict)
        self._sizes = self._bags.sizes
        self._known, self._counts = np.unique(self._bags.words, return_counts=True)
        self._words, self._rows = self._postings()
        keys = near_keys(columns)
        order = np.argsort(keys, kind="stable")
        self._keys, self._key_groups = keys[order], groups[order]

    def twins(self, columns: Sequence[pa.Array], groups: Numbers) -> Numbers:
        """For each row, the lowest group but its own that holds an equal or nearly equal text, or `NOBODY`."""
        bags, keys = _bags(columns, self._strict), near_keys(columns)
        return np.array(
            [self._twin(bags.of(row), keys[row], group) for row, group in enumerate(groups.tolist())], dtype=np.int64
        )

    def _twin(self, words: Keys, key: np.uint64, group: int) -> int:
        first, last = np.searchsorted(self._keys, key, "left"), np.searchsorted(self._keys, key, "right")
        found = {int(other) for other in self._key_groups[first:last] if other != group}
        found |= {int(self._groups[row]) for row in self._candidates(words, group) if self._near(words, row)}
        return min(found, default=NOBODY)

    def _candidates(self, words: Keys, group: int) -> list[int]:
        """Rows of other groups that share one of the text's rarest words and are neither too short nor too long."""
        prefix = self._prefix(words)
        firsts, lasts = np.searchsorted(self._words, prefix, "left"), np.searchsorted(self._words, prefix, "right")
        lists = [self._rows[first:last] for first, last in zip(firsts, lasts, strict=True)]
        rows = np.unique(np.concatenate(lists)) if lists else np.empty(0, dtype=np.int64)
        sizes = self._sizes[rows]
        fits = (self._groups[rows] != group) & (OF * sizes >= SHARED * len(words)) & (SHARED * sizes <= OF * len(words))
        return list(rows[fits].tolist())

    def _near(self, words: Keys, row: int) -> bool:
        ours, theirs = words, self._bags.of(row)
        if not self._strict:
            return _overlap(ours, theirs)
        places = (side >> np.uint64(64 - PLACE_BITS) for side in (ours, theirs))
        our_places, their_places = places
        return all(
            _overlap(ours[our_places == place], theirs[their_places == place])
            for place in np.union1d(our_places, their_places)
        )

    def _prefix(self, words: Keys) -> Keys:
        """The rarest of them: two near texts cannot differ in all of both texts' prefixes."""
        place = np.searchsorted(self._known, words).clip(max=max(0, len(self._known) - 1))
        known = self._known[place] == words if len(self._known) else np.zeros(len(words), dtype=bool)
        counts = np.where(known, self._counts[place], 0) if len(self._known) else known
        order = np.lexsort((words, counts))
        needed = -(-SHARED * len(words) // OF)
        return np.asarray(words[order[: len(words) - needed + 1]])

    def _postings(self) -> tuple[Keys, Numbers]:
        """The words of all rows' prefixes in order, and the row of each."""
        prefixes = [self._prefix(self._bags.of(row)) for row in range(len(self._groups))]
        words = np.concatenate(prefixes) if prefixes else np.empty(0, dtype=np.uint64)
        rows = np.repeat(np.arange(len(prefixes)), [len(prefix) for prefix in prefixes])
        order = np.argsort(words, kind="stable")
        return words[order], rows[order]


def _overlap(ours: Keys, theirs: Keys) -> bool:
    shared = len(set(ours.tolist()) & set(theirs.tolist()))
    return OF * shared >= SHARED * (len(ours) + len(theirs) - shared)


def _bags(columns: Sequence[pa.Array], strict: bool) -> _Bags:
    split = [_words(column) for column in columns]
    if strict:
        split = [[_neighbours(words) for words in column] for column in split]
    rows = [_numbers(words) for words in zip(*split, strict=True)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return _Bags(np.array([number for row in rows for number in row], dtype=np.uint64), starts.astype(np.int64))


def _words(texts: pa.Array) -> list[list[str]]:
    plain = pc.utf8_lower(pc.utf8_normalize(pc.fill_null(texts, ""), "NFKC"))
    parted = pc.replace_substring_regex(pc.replace_substring_regex(plain, IGNORED, " "), UNSPACED, r" \1 ")
    return [text.split() for text in parted.to_pylist()]


def _neighbours(words: Sequence[str]) -> list[str]:
    """Each word with the one after it; a single word stands for itself."""
    return [f"{first}\x1e{second}" for first, second in pairwise(words)] or list(words)


def _numbers(texts: Sequence[Sequence[str]]) -> list[int]:
    """Of a row's texts, each a list of words; the same word in another of the texts is another word."""
    seen: Counter[str] = Counter()
    numbers = []
    for place, words in enumerate(texts):
        for word in words:
            name = f"{place}\x1f{word}"
            seen[name] += 1
            digest = xxhash.xxh3_64_intdigest(f"{name}\x1f{seen[name]}".encode())
            numbers.append(place << (64 - PLACE_BITS) | digest >> PLACE_BITS)
    return numbers
