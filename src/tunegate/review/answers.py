"""What a version answered on its own test rows, counted for drawings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.right import right_of
from tunegate.records import answer_of, label_column, read_table
from tunegate.review.reports import EvaluateSeen
from tunegate.review.snapshots import Snapshot
from tunegate.statistics.calibration import reliability
from tunegate.tasks import answering_of, record_of


@dataclass(frozen=True)
class Answered:
    """`counted`: (label, answer) to rows; empty where a record has no single label. `bins` as drawings take them."""

    rows: int
    labels: Sequence[str]
    counted: Mapping[tuple[str, str], int]
    bins: Sequence[tuple[float, float, int]]

    @property
    def wrong_pairs(self) -> list[tuple[str, str, int]]:
        """The most frequent first."""
        wrong = [(*pair, number) for pair, number in self.counted.items() if pair[0] != pair[1]]
        return sorted(wrong, key=lambda pair: -pair[2])


def answered(snapshot: Snapshot, evaluate: EvaluateSeen) -> Answered:
    """Of the precision that serves. Raises UserError or OutsideError where the answers cannot be had."""
    return _answered(snapshot, evaluate.task, evaluate.served, snapshot.state("evaluate"))


@lru_cache(maxsize=16)
def _answered(snapshot: Snapshot, task: str, served: str, _state: str) -> Answered:
    path = snapshot.folder("evaluate") / "answers.parquet"
    answering = answering_of(task)
    part = record_of(task)
    table = read_table(snapshot.folder("validate") / "test.parquet")
    answers = answers_of(path, served, table["id"].to_pylist())
    column = label_column(part.PAYLOAD)
    truth, decided = answer_of(table, part.PAYLOAD).to_pylist(), answering.decided(answers)
    labels = sorted({*filter(None, truth), *decided}) if column else part.labels(table)
    counts = answering.counts(answers, table, labels)
    found = reliability(answering.confidence(answers), right_of(counts))
    bins = [
        (float(confidence), float(accuracy), int(rows))
        for confidence, accuracy, rows in zip(found.confidence, found.accuracy, found.rows, strict=True)
        if rows
    ]
    counted = Counter(zip(truth, decided, strict=True)) if column else {}
    return Answered(len(table), labels, dict(counted), bins)
