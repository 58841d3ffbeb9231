"""The candidate beside an earlier version, on the rows that neither has learnt from and whose label both know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunegate.evaluation.findings import Comparison, LeftOut, VersionFound
from tunegate.evaluation.leave_outs import LeaveOuts
from tunegate.evaluation.rivals import Rival
from tunegate.evaluation.scores import Resampling, compare, estimates
from tunegate.params import Precision
from tunegate.task import Counts, Metric


@dataclass(frozen=True)
class Ours:
    """The candidate: `counts` by precision, the one that serves first; `units` [n] where rows are not the unit."""

    export: str  # digest
    labels: Sequence[str]
    counts: Mapping[Precision, Counts]
    left_out: LeaveOuts
    metrics: Sequence[Metric]
    units: NDArray[np.int64] | None = None


def against(ours: Ours, rival: Rival, theirs: Counts | None, resampling: Resampling) -> VersionFound:
    """Without answers of the rival the reason is all that is found."""
    reference = rival.reference
    found = VersionFound(
        name=rival.name,
        version=reference.version,
        run=reference.run,
        hash=reference.hash,
        same_as=rival.same_as,
        problem=rival.problem,
        remedy=rival.remedy,
        note=rival.note,
    )
    if theirs is None or rival.left_out is None:
        return found
    kept = ours.left_out.kept & rival.left_out.kept
    beside = {
        "identical": rival.digest == ours.export,
        "precision": rival.precision,
        "labels_added": [label for label in ours.labels if label not in rival.labels],
        "labels_gone": [label for label in rival.labels if label not in ours.labels],
        "rows": int(kept.sum()),
        "left_out": _counted(ours.left_out, rival.left_out),
    }
    scores = _scored(ours, rival, theirs, kept, resampling) if kept.any() else {}
    return found.model_copy(update={**beside, **scores})


def only(counts: Counts, kept: NDArray[np.bool_]) -> Counts:
    """The counts of some of the records, numbered anew."""
    chosen = kept[counts.record]
    number = np.cumsum(kept) - 1
    return Counts(
        int(kept.sum()), counts.keys, number[counts.record[chosen]], counts.key[chosen], counts.number[chosen]
    )


def _scored(
    ours: Ours, rival: Rival, theirs: Counts, kept: NDArray[np.bool_], resampling: Resampling
) -> dict[str, object]:
    mine = {precision: only(counts, kept) for precision, counts in ours.counts.items()}
    other, served = only(theirs, kept), next(iter(mine.values()))
    units = ours.units[kept] if ours.units is not None else None
    comparisons: list[Comparison] = [
        compare((precision, rival.name), ours.metrics[0], counts, other, resampling, units=units)
        for precision, counts in mine.items()
    ]
    return {
        "ours": estimates(ours.metrics, served, resampling),
        "theirs": estimates(ours.metrics, other, resampling),
        "comparisons": comparisons,
    }


def _counted(ours: LeaveOuts, theirs: LeaveOuts) -> LeftOut:
    """Each row once, under the first reason that holds."""
    by_id = ours.by_id | theirs.by_id
    by_text = (ours.by_text | theirs.by_text) & ~by_id
    unknown = (ours.label_unknown | theirs.label_unknown) & ~by_id & ~by_text
    return LeftOut(
        trained_on_by_id=int(by_id.sum()), trained_on_by_text=int(by_text.sum()), label_unknown=int(unknown.sum())
    )
