"""The words of the training texts on a ring: a number picks a word, and a new text changes few picks.

Consistent hashing (Karger et al., 1997): every word has its place on the ring by its hash, and a number takes the
first word at or after it. So rows that are added later leave most products of the operations as they were.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

import xxhash

from tunegate.text.augmenters.units import Unit, split_units
from tunegate.text.chinese_words import Segment

RING = 2**64


@dataclass(frozen=True)
class Vocabulary:
    """Words in the order of their places on the ring."""

    places: tuple[int, ...]
    words: tuple[str, ...]

    def pick(self, share: float) -> str:
        """The word at this share (0 to 1) of the ring. The vocabulary must not be empty."""
        return self.words[bisect_left(self.places, int(share * RING)) % len(self.words)]


def vocabulary_of(texts: Iterable[str], unit: Unit, segment: Segment | None = None) -> Vocabulary:
    """All units of the texts, each once."""
    words = {piece for text in texts for piece in split_units(text, unit, segment).pieces}
    ring = sorted((xxhash.xxh3_64_intdigest(word.encode()), word) for word in words)
    return Vocabulary(tuple(place for place, _ in ring), tuple(word for _, word in ring))
