"""Is an engine's answer the same alone, in a batch, and in torch? Measured on rows, told in numbers."""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from tunegate.engines.torch import TorchEngine
from tunegate.exported import Golden, GoldenAnswers, Manifest
from tunegate.params import Precision
from tunegate.predictor import Predictor
from tunegate.task import AnswerPart, TextTokenizer
from tunegate.windows import Arrays, Windows

PARITY_ROWS = 512  # rows that torch is asked too; it takes some seconds in fp32
ALONE_ROWS = 64  # windows that are also run one by one
NEAR_TIE = 0.1  # a decision whose best two scores lie closer may turn over in another precision
CLEAR = 0.2  # golden decisions must keep on other machines, where both of the best two scores may move by 0.06


class Parity(BaseModel):
    """Differences are the largest of any score (0 .. 1). `flipped` are rows that torch in fp32 decides otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    from_torch: float
    alone_from_batch: float
    flipped: list[str]  # row ids
    flipped_clear: list[str]  # of these, those that torch decided by more than a near tie


@dataclass(frozen=True)
class Asked:
    """The rows that are compared, encoded once, with torch's outputs in fp32 for them."""

    ids: list[str]
    records: pa.Table
    windows: Windows
    reference: Arrays


def ask_torch(model: Any, records: pa.Table, windows: Windows, manifest: Manifest, tokenizer: TextTokenizer) -> Asked:
    """Torch's fp32 outputs for rows spread over all, the longest among them."""
    spread = np.linspace(0, len(records) - 1, min(PARITY_ROWS, len(records))).astype(np.int64)
    longest = windows.record[np.argsort(windows.lengths, kind="stable")[-8:]]
    rows = np.union1d(spread, longest)
    few = windows.take(np.flatnonzero(np.isin(windows.record, rows)))
    renumbered = Windows(
        few.tokens, few.offsets, np.searchsorted(rows, few.record), few.number, few.dropped, few.positions
    )
    engine = TorchEngine(model, tuple(manifest.outputs), "fp32", os.cpu_count() or 1)
    reference = Predictor(manifest, "fp32", engine, {}, tokenizer).outputs(renumbered)
    ids = records["id"] if "id" in records.column_names else pa.array([str(row) for row in range(len(records))])
    chosen = pa.array(rows)
    return Asked(ids.take(chosen).to_pylist(), records.take(chosen), renumbered, reference)


def measure(predictor: Predictor, answering: AnswerPart, asked: Asked) -> Parity:
    """Compare with `asked.reference`, both decoded with the predictor's fitted state."""
    outputs = predictor.outputs(asked.windows)
    ours = predictor.decode(outputs, asked.windows, asked.records)
    theirs = predictor.decode(asked.reference, asked.windows, asked.records)
    scores, reference = answering.scores(ours), answering.scores(theirs)
    pairs = zip(answering.decided(ours), answering.decided(theirs), strict=True)
    flipped = np.flatnonzero([own != other for own, other in pairs])
    clear = flipped[answering.margins(theirs)[flipped] > NEAR_TIE]
    return Parity(
        rows=len(asked.ids),
        from_torch=_rounded(np.abs(scores - reference).max(initial=0.0)),
        alone_from_batch=_rounded(_alone(predictor, answering, asked, outputs)),
        flipped=[asked.ids[row] for row in flipped],
        flipped_clear=[asked.ids[row] for row in clear],
    )


def _alone(predictor: Predictor, answering: AnswerPart, asked: Asked, outputs: Arrays) -> float:
    """The largest difference of scores between some records' windows run one by one and in their batches."""
    windows = asked.windows
    records = np.unique(windows.record)
    chosen = records[np.linspace(0, len(records) - 1, min(ALONE_ROWS, len(records))).astype(np.int64)]
    largest = 0.0
    for record in chosen:
        at = np.flatnonzero(windows.record == record)
        few, row = replace(windows.take(at), record=np.zeros(len(at), dtype=np.int64)), asked.records.slice(record, 1)
        together = predictor.decode({name: array[at] for name, array in outputs.items()}, few, row)
        alone = predictor.decode(predictor.outputs(few, max_tokens=1), few, row)
        difference = np.abs(answering.scores(alone) - answering.scores(together))
        largest = max(largest, float(difference.max(initial=0.0)))
    return largest


def _rounded(value: float) -> float:
    """Two digits: more would be noise in a file that people compare."""
    return float(f"{value:.1e}")


def golden_rows(answers: pa.Table, answering: AnswerPart, wanted: int = 16) -> list[int]:
    """Rows to keep as golden: the surest of each decision in turn, so that many labels are among them."""
    sure = answering.margins(answers)
    decided = answering.decided(answers)
    groups: dict[str, list[int]] = {}
    for row in np.argsort(-sure, kind="stable"):
        groups.setdefault(decided[row], []).append(int(row))
    turns = max(map(len, groups.values()), default=0)
    ranked = [rows[turn] for turn in range(turns) for _, rows in sorted(groups.items()) if turn < len(rows)]
    return ranked[:wanted]


def golden(predictors: dict[Precision, Predictor], answering: AnswerPart, records: pa.Table) -> Golden:
    """What each precision answers to the records, as it will be asked again wherever the export is opened."""
    first = next(iter(predictors.values()))
    questions = [name for name in first.questions if name in records.column_names]
    plain = [
        {name: value for name, value in record.items() if value is not None}
        for record in records.select(questions).to_pylist()
    ]
    return Golden(
        labels=first.manifest.labels,
        records=plain,
        answers={precision: _answers(predictor, answering, plain) for precision, predictor in predictors.items()},
    )


def _answers(predictor: Predictor, answering: AnswerPart, records: list[dict[str, Any]]) -> GoldenAnswers:
    answers = predictor.answers(predictor.table(records))
    scores = answering.scores(answers)
    return GoldenAnswers(
        decided=answering.decided(answers),
        scores=scores.tolist(),
        clear=(answering.margins(answers) > CLEAR).tolist(),
    )
