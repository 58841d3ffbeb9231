"""Which words an answer leaned on: each is taken out in turn, and the fall of the answer's score is its weight.

Occlusion (Zeiler and Fergus 2014, section 4.2) says what this model does without a word, not why: words that stand for
each other share their weight, and a text without a word is one that nobody wrote.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunegate.predictor import Predictor
from tunegate.tasks import answering_of

# Words with their apostrophes and inner dashes; of scripts without spaces every character is one.
PIECE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|\w+(?:['’-]\w+)*", re.UNICODE)
MOST_PIECES = 96  # so many more answers are computed; longer texts are taken apart in larger pieces


@dataclass(frozen=True)
class Piece:
    """A stretch of the text, in its order; `weight` is None between words, else -1 to 1: above 0 it spoke for it."""

    text: str
    weight: float | None


@dataclass(frozen=True)
class Leaning:
    """An answer as the service gives it, and the pieces of one field of the question."""

    answer: Mapping[str, Any]
    decided: str
    confidence: float
    pieces: Sequence[Piece]

    @property
    def strongest(self) -> list[Piece]:
        """Words by how much they mattered, for or against."""
        words = [piece for piece in self.pieces if piece.weight is not None]
        return sorted(words, key=lambda piece: -abs(piece.weight or 0.0))

    @property
    def most(self) -> float:
        return max((abs(piece.weight) for piece in self.pieces if piece.weight is not None), default=0.0)


def leaning(predictor: Predictor, record: Mapping[str, Any], field: str = "text") -> Leaning:
    """The answer to the record, and what each word of `field` added to its score."""
    text = str(record[field])
    spans = _spans(text)
    asked = [record, *({**record, field: text[:start] + text[end:]} for start, end in spans)]
    answers = predictor.answers(predictor.table(asked))
    answering = answering_of(predictor.manifest.task)
    scores = answering.scores(answers)
    chosen = int(np.argmax(scores[0]))
    weights = (scores[0, chosen] - scores[1:, chosen]).tolist()
    first = answers.slice(0, 1)
    [answer] = predictor.say(first, with_scores=True)
    return Leaning(
        answer=answer,
        decided=answering.decided(first)[0],
        confidence=float(answering.confidence(first)[0]),
        pieces=_pieces(text, spans, weights),
    )


def _spans(text: str) -> list[tuple[int, int]]:
    """Words, neighbours joined where there are too many."""
    words = [match.span() for match in PIECE.finditer(text)]
    step = -(-len(words) // MOST_PIECES) or 1
    groups = [words[start : start + step] for start in range(0, len(words), step)]
    return [(group[0][0], group[-1][1]) for group in groups]


def _pieces(text: str, spans: Sequence[tuple[int, int]], weights: Sequence[float]) -> list[Piece]:
    pieces, place = [], 0
    for (start, end), weight in zip(spans, weights, strict=True):
        if start > place:
            pieces.append(Piece(text[place:start], None))
        pieces.append(Piece(text[start:end], weight))
        place = end
    return [*pieces, *([Piece(text[place:], None)] if place < len(text) else [])]
