"""Two versions on the test rows that they share: scores side by side, labels, and the rows that came out otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel

from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.evaluation.findings import Estimate
from tunegate.evaluation.right import right_of
from tunegate.evaluation.scores import Resampling, compare, estimate
from tunegate.records import Payload, answer_of, as_text, label_column, question_columns, read_table
from tunegate.review.reports import EvaluateSeen
from tunegate.review.snapshots import NotThereError, Snapshot
from tunegate.tasks import answering_of, record_of

RESAMPLING = Resampling(2_000, 0)
FIXED, BROKEN, OTHER = "fixed", "broken", "other"
KINDS = (FIXED, BROKEN, OTHER)


@dataclass(frozen=True)
class MetricPair:
    """One metric of both, and the second minus the first on the same rows."""

    name: str
    before: Estimate
    after: Estimate
    difference: Estimate


@dataclass(frozen=True)
class LabelPair:
    """Rows of one label: how many each has right, and how many came out right or wrong anew."""

    label: str
    rows: int
    right_before: int
    right_after: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class Compared:
    """`flips` has the columns id, text..., label, before, before_confidence, after, after_confidence, kind."""

    rows: int
    only_before: int
    only_after: int
    changed: int  # rows in both whose text or label is another: they are left out
    metrics: Sequence[MetricPair]
    labels: Sequence[LabelPair]
    flips: pa.Table
    texts: Sequence[str]  # the columns of `flips` that hold the question
    record: type[BaseModel]  # what a question is
    payload: Sequence[Payload]

    def count(self, kind: str) -> int:
        return int(pc.sum(pc.equal(self.flips["kind"], kind)).as_py() or 0)

    def chosen(self, kind: str = "", label: str = "", search: str = "") -> pa.Table:
        """The flipped rows that a filter keeps; `search` is looked for in texts and ids, whatever its case."""
        table = self.flips
        if kind:
            table = table.filter(pc.equal(table["kind"], kind))
        if label:
            table = table.filter(pc.equal(table["label"], label))
        if search:
            hits = [pc.match_substring(table[name], search, ignore_case=True) for name in ("id", *self.texts)]
            kept = pc.fill_null(hits[0], False)
            for hit in hits[1:]:
                kept = pc.or_(kept, pc.fill_null(hit, False))
            table = table.filter(kept)
        return table


@dataclass(frozen=True)
class _Side:
    """One version's answers to the shared rows."""

    decided: list[str]
    confidence: NDArray[np.float64]
    answers: pa.Table


def compared(before: Snapshot, after: Snapshot) -> Compared:
    """Raises NotThereError where one was not evaluated, UserError where no row is shared or tasks differ."""
    return _compared(before, after, (before.state("evaluate"), after.state("evaluate")))


@lru_cache(maxsize=8)
def _compared(before: Snapshot, after: Snapshot, _states: tuple[str, str]) -> Compared:
    found = [_report(side) for side in (before, after)]
    if found[0].task != found[1].task:
        raise UserError("The two versions do different tasks.", "Compare versions of one task.")
    payload = record_of(found[1].task).PAYLOAD
    rows = [_rows(side, payload) for side in (before, after)]
    kept, changed = _shared(rows[0], rows[1], payload)
    if not len(kept):
        raise UserError(
            "The two versions share no test row, so nothing can be compared row by row.",
            "Run the pipeline again while one of them is the champion: both are scored on the new rows then.",
        )
    ids = kept["id"].to_pylist()
    sides = [_side(side, report, ids) for side, report in zip((before, after), found, strict=True)]
    common = len(kept) + changed
    return _weighed(found[1], kept, sides, payload, (len(rows[0]) - common, len(rows[1]) - common, changed))


def _report(side: Snapshot) -> EvaluateSeen:
    report = side.report("evaluate", EvaluateSeen)
    if report is None:
        raise NotThereError(f"{side.name} was not evaluated.", "Choose a version that was, or run the pipeline.")
    return report


def _rows(side: Snapshot, payload: Sequence[Payload]) -> pa.Table:
    return read_table(side.folder("validate") / "test.parquet", ["id", *(column.name for column in payload)])


def _shared(before: pa.Table, after: pa.Table, payload: Sequence[Payload]) -> tuple[pa.Table, int]:
    """Rows of `after` that stand in `before` with the same question and label; how many stand there with another."""
    place = pc.index_in(after["id"], value_set=before["id"].combine_chunks())
    there = after.filter(pc.is_valid(place))
    partner = before.take(pc.drop_null(place))
    same = np.ones(len(there), dtype=bool)
    for column in payload:
        pair = zip(there[column.name].to_pylist(), partner[column.name].to_pylist(), strict=True)
        same &= np.fromiter((left == right for left, right in pair), dtype=bool, count=len(there))
    return there.filter(pa.array(same)), int((~same).sum())


def _side(side: Snapshot, report: EvaluateSeen, ids: list[str]) -> _Side:
    answers = answers_of(side.folder("evaluate") / "answers.parquet", report.served, ids)
    answering = answering_of(report.task)
    return _Side(answering.decided(answers), answering.confidence(answers), answers)


def _weighed(
    report: EvaluateSeen, rows: pa.Table, sides: list[_Side], payload: Sequence[Payload], others: tuple[int, int, int]
) -> Compared:
    answering = answering_of(report.task)
    truth = [str(answer) for answer in answer_of(rows, payload).to_pylist()]
    single = label_column(payload) is not None
    known = set(truth) | set(sides[0].decided) | set(sides[1].decided)
    labels = sorted(known) if single else record_of(report.task).labels(rows)
    old, new = (answering.counts(side.answers, rows, labels) for side in sides)
    metrics = [
        MetricPair(
            metric.title,
            estimate(metric, old, RESAMPLING),
            estimate(metric, new, RESAMPLING),
            compare(("fp32", "before"), metric, new, old, RESAMPLING).difference,
        )
        for metric in answering.METRICS
    ]
    right = (right_of(old), right_of(new))
    texts = [name for name in question_columns(payload) if rows[name].null_count < len(rows)]
    return Compared(
        rows=len(rows),
        only_before=others[0],
        only_after=others[1],
        changed=others[2],
        metrics=metrics,
        labels=_by_label(truth, right) if single else [],
        flips=_flipped(rows, truth, texts, sides, right),
        texts=texts,
        record=record_of(report.task).Record,
        payload=payload,
    )


def _by_label(truth: Sequence[str], right: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> list[LabelPair]:
    old, new, own = *right, np.asarray(truth, dtype=object)
    found = []
    for label in sorted(set(truth)):
        of = own == label
        fixed, broken = int((of & new & ~old).sum()), int((of & old & ~new).sum())
        found.append(LabelPair(label, int(of.sum()), int((of & old).sum()), int((of & new).sum()), fixed, broken))
    return found


def _flipped(
    rows: pa.Table, truth: list[str], texts: Sequence[str], sides: list[_Side], right: tuple[NDArray[np.bool_], ...]
) -> pa.Table:
    """Rows that are answered otherwise: those that came out wrong first, the surest of them at the top."""
    old, new = sides
    differs = np.asarray(old.decided, dtype=object) != np.asarray(new.decided, dtype=object)
    chosen = np.flatnonzero(differs | (right[0] != right[1]))
    kind = np.where(right[1] & ~right[0], 0, np.where(right[0] & ~right[1], 1, 2))[chosen]
    order = np.lexsort((-new.confidence[chosen], np.array([1, 0, 2])[kind]))
    chosen, kind = chosen[order], kind[order]
    table = rows.take(pa.array(chosen))
    return pa.table(
        {
            "id": table["id"],
            **{name: as_text(table[name]) for name in texts},
            "label": pa.array([truth[row] for row in chosen], pa.string()),
            "before": pa.array([old.decided[row] for row in chosen], pa.string()),
            "before_confidence": old.confidence[chosen],
            "after": pa.array([new.decided[row] for row in chosen], pa.string()),
            "after_confidence": new.confidence[chosen],
            "kind": pa.array([KINDS[number] for number in kind], pa.string()),
        }
    )
