"""A text as units that can be moved: words, or single characters where a script writes no spaces between words.

Joining the units of a text gives the text back, to the last space.
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from tunegate.text.chinese_words import Segment, word_starts

# Han, kana, Hangul, Bopomofo, Thai, Lao, Khmer and Burmese: scripts whose words are not (or hardly) parted by spaces.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3100-\u318f\u31a0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9d\U00020000-\U000323af"
)
LETTER = re.compile(f"[{UNSPACED}]")
WORDS = re.compile(r"\S+")
CHARACTERS = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")  # a Latin word or number inside stays whole

Unit = Literal["auto", "words", "characters"]


@dataclass(frozen=True)
class Units:
    """`gaps` has one entry more than `pieces`: what stands before, between and after them."""

    pieces: tuple[str, ...]
    gaps: tuple[str, ...]

    def __str__(self) -> str:
        return self.gaps[0] + "".join(piece + gap for piece, gap in zip(self.pieces, self.gaps[1:], strict=True))

    def swapped(self, place: int) -> "Units":
        """The units at `place` and after it exchanged; the spaces stay where they are."""
        pieces = list(self.pieces)
        pieces[place], pieces[place + 1] = pieces[place + 1], pieces[place]
        return replace(self, pieces=tuple(pieces))

    def without(self, place: int) -> "Units":
        """One unit and the space beside it taken out."""
        gap = place + 1 if place < len(self.pieces) - 1 else place
        return Units(self.pieces[:place] + self.pieces[place + 1 :], self.gaps[:gap] + self.gaps[gap + 1 :])

    def inserted(self, place: int, piece: str) -> "Units":
        """The piece before the unit at `place` (or last), with a space where its neighbours would have one."""
        neighbour = self.pieces[place - 1] if place else self.pieces[0]
        space = "" if LETTER.match(piece) or LETTER.match(neighbour) else " "
        gap = place if place == len(self.pieces) else place + 1
        return Units((*self.pieces[:place], piece, *self.pieces[place:]), (*self.gaps[:gap], space, *self.gaps[gap:]))


def split_units(text: str, unit: Unit, segment: Segment | None = None) -> Units:
    """The text's units. `auto` takes characters where those of unspaced scripts outnumber the other words; `segment`
    makes words of the Chinese ones among them."""
    if unit == "auto":
        pieces = CHARACTERS.findall(text)
        unspaced = sum(LETTER.match(piece) is not None for piece in pieces)
        unit = "characters" if 2 * unspaced > len(pieces) else "words"
    spans = [match.span() for match in (CHARACTERS if unit == "characters" else WORDS).finditer(text)]
    if segment is not None and unit == "characters":
        spans = _joined(text, spans, segment)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    gaps = tuple(text[edges[number] : edges[number + 1]] for number in range(0, len(edges), 2))
    return Units(tuple(text[start:end] for start, end in spans), gaps)


def _joined(text: str, spans: list[tuple[int, int]], segment: Segment) -> list[tuple[int, int]]:
    """Characters of a word that `segment` finds as one span."""
    starts = set(word_starts(text, segment))
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and LETTER.match(text[start]) and start not in starts:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
