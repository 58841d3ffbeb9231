"""What a tokenizer puts around one text or two: special tokens, and the places where texts stand."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunegate.task import TextTokenizer

Ids = NDArray[np.int32]
Sides = tuple[Ids, ...]
"""A question's tokens without special ones: of one text, or of both of a pair."""

PLACE = -1  # less the side's number: where a text stands


@dataclass(frozen=True)
class Frame:
    """`ids`: special tokens, and `PLACE - side` where a text stands; `types`: each one's token type."""

    ids: Ids
    types: Ids

    @property
    def specials(self) -> int:
        return int((self.ids > PLACE).sum())

    @property
    def between(self) -> Ids:
        """The special tokens between the two texts of a pair."""
        first, second = (int(np.flatnonzero(self.ids == PLACE - side)[0]) for side in (0, 1))
        return self.ids[first + 1 : second]

    def filled(self, sides: Sides) -> tuple[Ids, Ids]:
        """Ids and token types of a whole window."""
        parts = [sides[PLACE - token] if token <= PLACE else self.ids[at : at + 1] for at, token in enumerate(self.ids)]
        return np.concatenate(parts), np.repeat(self.types, [len(part) for part in parts])

    def start(self, side: int, sides: Sides) -> int:
        """Where in a whole window the side's text begins."""
        at = int(np.flatnonzero(self.ids == PLACE - side)[0])
        return sum(len(sides[PLACE - token]) if token <= PLACE else 1 for token in self.ids[:at])


@dataclass(frozen=True)
class Frames:
    """Around one text, and around a pair."""

    single: Frame
    pair: Frame

    @classmethod
    def of(cls, tokenizer: TextTokenizer) -> "Frames":
        one, two = (tokenizer.tokenizer.encode(*texts) for texts in (("a",), ("a", "a")))
        return cls(_frame(one), _frame(two))

    def around(self, sides: Sides) -> Frame:
        return self.single if len(sides) == 1 else self.pair


def plain_ids(tokenizer: TextTokenizer, texts: list[str]) -> list[Ids]:
    """Each text's tokens without special ones."""
    encodings = tokenizer.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]


def _frame(encoding: Any) -> Frame:
    sides = [PLACE + 1 if side is None else PLACE - side for side in encoding.sequence_ids]
    kept = [at for at, side in enumerate(sides) if at == 0 or side > PLACE or side != sides[at - 1]]
    ids = [encoding.ids[at] if sides[at] > PLACE else sides[at] for at in kept]
    return Frame(np.array(ids, dtype=np.int32), np.array([encoding.type_ids[at] for at in kept], dtype=np.int32))
