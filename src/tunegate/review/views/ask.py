"""A question put to two versions: both answers, and which words each leaned on."""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from tunegate.asked import Mistake, check_question
from tunegate.errors import UserError
from tunegate.predictor import Predictor
from tunegate.review.asking import AskField, ask_fields, asked_record
from tunegate.review.language import Language
from tunegate.review.occlusion import Leaning, leaning
from tunegate.review.snapshots import Snapshot
from tunegate.review.told import ToldTable, marked, told
from tunegate.tasks import record_of

LONGEST = 5_000  # characters of a question; the service takes more, but here every word is tried
OTHERS = 5  # scores that are shown beside an answer
_opening = threading.Lock()


@dataclass(frozen=True)
class Side:
    """One version's answer to the question."""

    name: str
    leaning: Leaning
    others: Sequence[tuple[str, float]]  # the best of all scores
    tables: Sequence[ToldTable]  # words, spans or candidates of the answer


@dataclass(frozen=True)
class AskView:
    template: ClassVar[str] = "ask.html"

    pipeline: str
    before: str
    after: str
    question: Mapping[str, str]
    sides: Sequence[Side]

    @property
    def same(self) -> bool:
        return len({side.leaning.decided for side in self.sides}) == 1

    @property
    def leans(self) -> bool:
        """Whether there were words to take out."""
        return any(side.leaning.pieces for side in self.sides)

    def title(self, language: Language) -> str:
        return language.say("ask.title")


def ask_view(before: Snapshot, after: Snapshot, form: Mapping[str, str]) -> AskView:
    """Raises UserError for what is no question, and where a version's files cannot be had."""
    first, second = (_side(snapshot, form) for snapshot in (before, after))
    sides = [_marked(first, second), _marked(second, first)]
    asked = fields_of(_opened(after))
    question = {field.name: form[field.name] for field in asked if form.get(field.name, "").strip()}
    return AskView(before.pipeline, before.ref, after.ref, question, sides)


def fields_of(predictor: Predictor) -> list[AskField]:
    """The form of the questions that a model has learnt to answer."""
    part, filled = record_of(predictor.manifest.task), predictor.manifest.filled
    return ask_fields(part.Record, part.PAYLOAD, [name for name in predictor.questions if filled.get(name) != "never"])


def _marked(side: Side, other: Side) -> Side:
    return replace(side, tables=marked(side.tables, other.tables))


def _side(snapshot: Snapshot, form: Mapping[str, str]) -> Side:
    predictor = _opened(snapshot)
    record = _record(predictor, form)
    found = leaning(predictor, record, own_field(predictor, record))
    return Side(snapshot.name, found, best_scores(found.answer.get("scores")), told(found.answer))


def own_field(predictor: Predictor, record: Mapping[str, object]) -> str | None:
    """The first text of the question that is its own, and not one that many questions share; None where there is none
    (each word has an answer of its own)."""
    payload = record_of(predictor.manifest.task).PAYLOAD
    own = (column.name for column in payload if column.is_plain_text and not column.shared and record.get(column.name))
    return next(own, None)


def best_scores(scores: object) -> list[tuple[str, float]]:
    """The highest of a mapping of names to scores, or of a list of answers with theirs."""
    pairs = list(scores.items()) if isinstance(scores, dict) else []
    if isinstance(scores, list):
        named = [one if isinstance(one, dict) else {"score": one} for one in scores]
        pairs = [(str(one.get("text", number)), float(one["score"])) for number, one in enumerate(named)]
    return sorted(pairs, key=lambda pair: -pair[1])[:OTHERS]


def _record(predictor: Predictor, form: Mapping[str, str]) -> dict[str, object]:
    asked = asked_record(fields_of(predictor), form)
    if sum(map(len, form.values())) > LONGEST:
        raise UserError(
            f"The question has over {LONGEST:,} characters.", "Ask a shorter one: every word is tried here."
        )
    manifest = predictor.manifest
    found = check_question(asked, record_of(manifest.task).Record, manifest.filled)
    if isinstance(found, Mistake):
        raise UserError(f"This is no question for the model: {found.message}", "Change it and ask again.")
    return found


def _opened(snapshot: Snapshot) -> Predictor:
    with _opening:
        return _predictor(snapshot, snapshot.state("export"))


@lru_cache(maxsize=4)
def _predictor(snapshot: Snapshot, _state: str) -> Predictor:
    return Predictor.open(snapshot.folder("export"), threads=len(os.sched_getaffinity(0)))
