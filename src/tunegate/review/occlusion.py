"""Which words an answer leaned on: each is taken out in turn, and the fall of the answer's score is its weight.

Occlusion (Zeiler and Fergus 2014, section 4.2) says what this model does without a word, not why: words that stand for
each other share their weight, and a text without a word is one that nobody wrote.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.predictor import Predictor
from tunegate.task import AnswerPart
from tunegate.tasks import answering_of
from tunegate.text.blanks import BLANK

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


def leaning(predictor: Predictor, record: Mapping[str, Any], field: str | None = "text") -> Leaning:
    """The answer to the record, and what each word of `field` (None: of nothing) added to its score."""
    text = str(record[field]) if field is not None else ""
    spans = _spans(text)
    asked = [record, *({**record, str(field): text[:start] + text[end:]} for start, end in spans)]
    answers = predictor.answers(predictor.table(asked))
    answering = answering_of(predictor.manifest.task)
    weights = _weights(answering, answers)
    first = answers.slice(0, 1)
    [answer] = predictor.say(first, with_scores=True)
    return Leaning(
        answer=answer,
        decided=answering.decided(first)[0],
        confidence=float(answering.confidence(first)[0]),
        pieces=_pieces(text, spans, weights),
    )


def _weights(answering: AnswerPart, answers: pa.Table) -> list[float]:
    """How far the first answer's score falls in each of the others. Where scores are those of an answer's own parts
    (a blank's words), its confidence: all of it where another answer is given."""
    scores = answering.scores(answers)
    if len(scores) == len(answers):
        chosen = int(np.argmax(scores[0]))
        fallen: list[float] = (scores[0, chosen] - scores[1:, chosen]).tolist()
        return fallen
    decided, sure = answering.decided(answers), answering.confidence(answers)
    kept = np.array([one == decided[0] for one in decided[1:]], dtype=bool)
    left: list[float] = (sure[0] - np.where(kept, sure[1:], 0.0)).tolist()
    return left


def _spans(text: str) -> list[tuple[int, int]]:
    """Words, neighbours joined where there are too many. A blank is no word: without it nothing is asked there."""
    blanks = [match.span() for match in BLANK.finditer(text)]
    found = (match.span() for match in PIECE.finditer(text))
    words = [span for span in found if not any(start < span[1] and span[0] < end for start, end in blanks)]
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
