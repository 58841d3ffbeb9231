"""A person's own synonyms: groups of words that may stand for each other, one group per line.

    broken, damaged, defect
    thank you, thanks
    Aa01A01= 人 士 人物 人士

Between words stand tabs, else commas, else blanks. Of the lines of Cilin (HIT's extended thesaurus) those with `=` are
synonyms; `#` (related) and `@` (alone) are passed over.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tunegate.text.augmenters.units import LETTER, UNSPACED
from tunegate.text.chinese_words import Segment, word_starts

CODE = re.compile(r"[A-Z][a-z]\d\d[A-Z]\d\d([=#@])\s+")
COMMA = re.compile("[,，、]")
# Words with their apostrophes and inner dashes, single marks, single characters of unspaced scripts.
PIECE = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+(?:['’-][^\\W{UNSPACED}]+)*|[^\\w\\s]")


@dataclass(frozen=True)
class Synonyms:
    """`others`: a word, its case folded, to those of its groups; `longest`: characters of the longest."""

    others: Mapping[str, tuple[str, ...]]
    longest: int

    def replaced(self, text: str, edits: int, random: Random, segment: Segment | None = None) -> str:
        """The text with up to `edits` of its words replaced; itself where none has a synonym.

        A word begins and ends where words do; in Chinese where `segment` says, else anywhere.
        """
        found = list(self._places(text, segment))
        for start, end in sorted(random.sample(found, min(edits, len(found))), reverse=True):
            word = text[start:end]
            text = text[:start] + _cased(random.choice(self.others[word.casefold()]), word) + text[end:]
        return text

    def _places(self, text: str, segment: Segment | None) -> Iterator[tuple[int, int]]:
        """The longest word with a synonym that starts at each place, none within another."""
        starts, ends = _edges(text, segment)
        after = 0
        for start in starts:
            near = ends[bisect_right(ends, start) : bisect_right(ends, start + self.longest)] if start >= after else ()
            end = next((end for end in reversed(near) if text[start:end].casefold() in self.others), None)
            if end is not None:
                yield start, end
                after = end


def _edges(text: str, segment: Segment | None) -> tuple[list[int], list[int]]:
    """Where words may start, and where they may end."""
    spans = [found.span() for found in PIECE.finditer(text)]
    letters = {start for start, _ in spans if LETTER.match(text[start])}
    inside = letters - set(word_starts(text, segment)) if segment else set()
    return [start for start, _ in spans if start not in inside], [end for _, end in spans if end not in inside]


def _cased(word: str, like: str) -> str:
    """Capitals where the word that it stands for had them."""
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def read_synonyms(text: str) -> Synonyms:
    """Raises ValueError for a file without a group of two words."""
    others: dict[str, list[str]] = {}
    for line in text.splitlines():
        group = list(dict.fromkeys(_group(line)))
        for word in group:
            known = others.setdefault(word.casefold(), [])
            known += [other for other in group if other.casefold() != word.casefold() and other not in known]
    found = {word: tuple(known) for word, known in others.items() if known}
    if not found:
        raise ValueError("holds no two words that stand for each other")
    return Synonyms(found, max(map(len, found)))


def _group(line: str) -> list[str]:
    if code := CODE.match(line):
        return line[code.end() :].split() if code[1] == "=" else []
    if line.lstrip().startswith("#"):
        return []
    for between in ("\t", COMMA):
        words = line.split(between) if isinstance(between, str) else between.split(line)
        if len(words) > 1:
            return [word.strip() for word in words if word.strip()]
    return line.split()
