"""Documents to what is learnt from them: stretches of text, or pairs of stretches of which one follows the other.

After the data builder of BERT (`create_pretraining_data.py`), by documents: what follows is from the same document,
what does not from another one (`nsp`, Devlin et al. 2019) or the same two the other way round (`sop`, Lan et al. 2020).
Two differences: a coin is thrown only where both answers are possible, so that exactly half of the pairs are expected
to be in order; a sentence that is left over alone has no order. And a random next sentence comes from a document that
has next sentences itself: among lines that stand alone, their kind would tell what follows and what does not.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tunegate.text.sentences import joined
from tunegate.text.words import split_words

IN_ORDER, OUT_OF_ORDER = 0, 1
"""As Google's and Hugging Face's models have it, for both kinds of pairs: 0 says that the second follows the first."""

SHORT = 0.1  # share of pairs that aim at a random, smaller size, so that short texts are met too

Kind = Literal["nsp", "sop"]


@dataclass(frozen=True)
class Sentence:
    """A text with the places, in characters, where its words start."""

    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> "Sentence":
        return cls(text, tuple(split_words(text)[1]))

    @property
    def words(self) -> int:
        return len(self.starts)

    def part(self, first: int, after: int) -> "Sentence":
        """From word `first` up to word `after`, which is not in it."""
        start, end = self.starts[first], self.starts[after] if after < self.words else len(self.text)
        return Sentence(self.text[start:end].rstrip(), tuple(place - start for place in self.starts[first:after]))


Document = Sequence[Sentence]


@dataclass(frozen=True)
class Pair:
    """`second` and `order` are None for a sentence that was left over alone."""

    first: str
    second: str | None
    order: int | None


def stretches(document: Document, size: int) -> list[str]:
    """All of the document in pieces of at most `size` words that break between sentences where they can."""
    pieces: list[list[Sentence]] = [[]]
    for sentence in _no_longer_than(document, size):
        if pieces[-1] and _words(pieces[-1]) + sentence.words > size:
            pieces.append([])
        pieces[-1].append(sentence)
    return [_text(piece) for piece in pieces if piece]


def strangers(documents: Sequence[Document]) -> Sequence[int]:
    """The documents that a random next sentence may come from, by their numbers: those of several sentences; all,
    where fewer than two are such."""
    several = [number for number, document in enumerate(documents) if len(document) > 1]
    return several if len(several) > 1 else range(len(documents))


def pairs(
    documents: Sequence[Document], number: int, size: int, kind: Kind, seed: int, *, others: Sequence[int]
) -> Iterator[Pair]:
    """The pairs of document `number`, of at most `size` words (at least 2) together, neither text ever empty.

    `others`: the documents' `strangers`. Random numbers depend on the seed and the document's own text. Raises
    ValueError for `nsp` with a single document.
    """
    if kind == "nsp" and len(documents) < 2:
        raise ValueError("a random next sentence is one of another document, and there is none")
    document = documents[number]
    chance = random.Random(f"{seed} {kind} " + _text(document))
    place, wanted, chunk = 0, _wanted(size, chance), list[Sentence]()
    while place < len(document):
        chunk.append(document[place])
        place += 1
        if place < len(document) and (len(chunk) < 2 or _words(chunk) < wanted):
            continue
        if len(chunk) < 2:
            yield Pair(_text([chunk[0].part(0, size)]), None, None)
            return
        middle = chance.randint(1, len(chunk) - 1)
        first, second, order = chunk[:middle], chunk[middle:], chance.choice((IN_ORDER, OUT_OF_ORDER))
        if order == OUT_OF_ORDER and kind == "nsp":
            place -= len(second)  # not used here, and so the start of what comes
            stranger = _other_than(number, others, chance)
            second = _stretch_of(documents[stranger], wanted - _words(first), chance)
        elif order == OUT_OF_ORDER:
            first, second = second, first
        yield Pair(*_cut(first, second, size, chance), order)
        wanted, chunk = _wanted(size, chance), []


def _wanted(size: int, chance: random.Random) -> int:
    return chance.randint(2, size) if chance.random() < SHORT else size


def _other_than(own: int, others: Sequence[int], chance: random.Random) -> int:
    """One of the others, each as likely; there are at least two, of which one may be the own."""
    place = others.index(own) if own in others else len(others)
    drawn = chance.randrange(len(others) - (place < len(others)))
    return others[drawn + (drawn >= place)]


def _stretch_of(document: Document, words: int, chance: random.Random) -> list[Sentence]:
    """Consecutive sentences from a random one on, up to so many words; at least one."""
    start = chance.randrange(len(document))
    end = start + 1
    while end < len(document) and _words(document[start:end]) < words:
        end += 1
    return list(document[start:end])


def _cut(first: Document, second: Document, size: int, chance: random.Random) -> tuple[str, str]:
    """The longer text loses a word, at its front or back by chance, until both fit (`truncate_seq_pair`)."""
    sides = [Sentence.of(_text(first)), Sentence.of(_text(second))]
    reach = [[0, side.words] for side in sides]
    while sum(end - start for start, end in reach) > size:
        longer = reach[0] if reach[0][1] - reach[0][0] > reach[1][1] - reach[1][0] else reach[1]
        if chance.random() < 0.5:
            longer[0] += 1
        else:
            longer[1] -= 1
    one, other = (side.part(*own).text for side, own in zip(sides, reach, strict=True))
    return one, other


def _no_longer_than(document: Document, size: int) -> Iterator[Sentence]:
    for sentence in document:
        for start in range(0, sentence.words, size):
            yield sentence.part(start, min(start + size, sentence.words))


def _words(sentences: Document) -> int:
    return sum(sentence.words for sentence in sentences)


def _text(sentences: Document) -> str:
    return joined([sentence.text for sentence in sentences])
