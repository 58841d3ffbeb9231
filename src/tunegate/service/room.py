"""What a running service holds: the predictor behind its batcher, the version that answers, the card.

Opening is where a service refuses to start: files, golden answers and the package's own note must agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.bento import EXPORT, Packaged
from tunegate.errors import UserError
from tunegate.params import Precision
from tunegate.predictor import Predictor
from tunegate.service.batcher import Batcher, Limits
from tunegate.service.meters import meters
from tunegate.service.questions import Questions

BYTES_PER_TOKEN = 4  # for the budget only: in UTF-8 about right for English (4.3) and Chinese (3)


@dataclass(frozen=True)
class Question:
    """One record on its way to the engine."""

    record: dict[str, Any]
    scores: bool


class Room:
    """Opened once per worker process, before it is ready."""

    def __init__(self, predictor: Predictor, packaged: Packaged, version: str) -> None:
        self.predictor = predictor
        self.packaged = packaged
        self.version = version
        limits = packaged.limits
        self.batcher: Batcher[Question, dict[str, Any]] = Batcher(
            self._answer,
            self._cost,
            Limits(limits.batch_tokens, limits.queue, limits.deadline_seconds),
            observe=meters().batch,
        )

    @classmethod
    def open(
        cls, folder: Path, packaged: Packaged, version: str, precision: Precision | None = None, threads: int = 1
    ) -> "Room":
        """Raises UserError when any file or answer is not what was packaged."""
        predictor = checked_predictor(folder, packaged, precision, threads)
        predictor.warm()
        return cls(predictor, packaged, version)

    async def ask(self, questions: Questions) -> list[dict[str, Any]]:
        """Answers in order; raises what `Batcher.ask` raises."""
        return await self.batcher.ask([Question(record, questions.scores) for record in questions.records])

    def card(self) -> dict[str, Any]:
        """What `GET /v1/model` says."""
        manifest = self.predictor.manifest
        base = manifest.base_model
        return {
            "version": self.version,
            "pipeline": self.packaged.pipeline,
            "description": self.packaged.description,
            "task": manifest.task,
            "labels": manifest.labels,
            "precision": self.predictor.precision,
            "engine": manifest.engine,
            "max_length": manifest.max_length,
            "export": manifest.digest,
            "base_model": base.model_dump(mode="json") if base else None,
            "data": self.packaged.data,
            "verdict": self.packaged.verdict,
            "limits": self.packaged.limits.model_dump(mode="json"),
        }

    def close(self) -> None:
        self.batcher.close()

    def _cost(self, question: Question) -> int:
        size = sum(map(_bytes, question.record.values()))
        return min(2 + size // BYTES_PER_TOKEN, self.predictor.manifest.max_length)

    def _answer(self, questions: list[Question]) -> Sequence[dict[str, Any]]:
        predictor = self.predictor
        rows = predictor.table([question.record for question in questions])
        windows = predictor.encode(rows)
        answers = predictor.decode(predictor.outputs(windows, self.packaged.limits.batch_tokens), windows, rows)
        with_scores = any(question.scores for question in questions)
        full = predictor.say(answers, True) if with_scores else []
        plain = predictor.say(answers, False) if not all(question.scores for question in questions) else full
        return [(full if question.scores else plain)[row] for row, question in enumerate(questions)]


def _bytes(value: object) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return sum(map(_bytes, value)) if isinstance(value, list) else 0


def checked_predictor(
    folder: Path, packaged: Packaged, precision: Precision | None = None, threads: int = 1
) -> Predictor:
    """The export in the Bento's folder, verified, its golden rows answered. Raises UserError."""
    predictor = Predictor.open(folder / EXPORT, precision, threads=threads)
    if predictor.manifest.digest != packaged.export:
        raise UserError(
            f"{folder / EXPORT} is not the export that was packaged: its manifest has another digest.",
            "Package the model again; do not change files inside a Bento.",
        )
    return predictor
