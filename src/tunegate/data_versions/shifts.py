"""How columns and labels moved from one version to the next, each with a test that its rows allow.

Both versions share most of their rows, so a test for two samples would be wrong. Rows that came are compared with the
rows before (no row is in both: chi-square); rows that stayed and changed their label are compared in pairs (the exact
sign test of McNemar). The stability index compares the whole versions, with the limit that validation uses.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.data_versions.matching import Rows
from tunegate.data_versions.reading import VersionRows
from tunegate.records import SPLITS
from tunegate.statistics.drift import stability_index, stability_limit

LENGTH_CELLS = 10
FEWEST_EXPECTED = 5  # rows per cell, below which the chi-square approximation is not trusted (Cochran 1954)

Counts = NDArray[np.int64]


class ColumnShift(BaseModel):
    """`index` is the PSI of the two versions, over `limit` it `moved`; `p` is of the chi-square test of came rows."""

    model_config = ConfigDict(frozen=True)

    column: str
    cells: int
    index: float | None
    limit: float | None
    moved: bool
    p: float | None
    test: str


class LabelShift(BaseModel):
    """Rows of a label. `gained` and `lost` by relabelling; p-values adjusted by Holm over all labels."""

    model_config = ConfigDict(frozen=True)

    label: str
    before: int
    after: int
    added: int
    removed: int
    gained: int
    lost: int
    share_before: float
    share_after: float
    p_added: float | None
    p_relabelled: float | None


def column_shifts(before: VersionRows, after: VersionRows, came: Rows) -> list[ColumnShift]:
    """Label, split, length, and every extra column with few values; `came` are row numbers of the after side."""
    labels = sorted({*before.facts.labels, *after.facts.labels})
    old, new = (_label_counts(rows, labels) for rows in (before, after))
    shifts = []
    if labels:
        arrived = _label_counts(after, labels, came)
        shifts.append(_shift("label", old, new, arrived))
    splits = [np.bincount(numbers, minlength=len(SPLITS)) for numbers in (before.split, after.split, after.split[came])]
    shifts.append(_shift("split", splits[0], splits[1], splits[2]))
    shifts.append(_shift("length of the text", *_lengths(before.lengths, after.lengths, came)))
    for name in sorted({*before.facts.columns} & {*after.facts.columns}):
        shifts.append(_shift(name, *_aligned(before.facts.columns[name], after.facts.columns[name]), None))
    return shifts


def label_shifts(before: VersionRows, after: VersionRows, came: Rows, gone: Rows, moved: Counts) -> list[LabelShift]:
    """`moved` counts matched rows by label before and after, as numbers in the sorted labels of both."""
    labels = sorted({*before.facts.labels, *after.facts.labels})
    old, new = (_label_counts(rows, labels) for rows in (before, after))
    added, removed = _label_counts(after, labels, came), _label_counts(before, labels, gone)
    changed = moved - np.diag(np.diag(moved))
    gained, lost = changed.sum(axis=0), changed.sum(axis=1)
    p_added = holm(
        [_two_by_two(int(added[place]), len(came), int(old[place]), len(before)) for place in range(len(labels))]
    )
    p_relabelled = holm([_sign_test(int(gained[place]), int(lost[place])) for place in range(len(labels))])
    return [
        LabelShift(
            label=label,
            before=int(old[place]),
            after=int(new[place]),
            added=int(added[place]),
            removed=int(removed[place]),
            gained=int(gained[place]),
            lost=int(lost[place]),
            share_before=float(old[place] / max(1, len(before))),
            share_after=float(new[place] / max(1, len(after))),
            p_added=p_added[place],
            p_relabelled=p_relabelled[place],
        )
        for place, label in enumerate(labels)
    ]


def holm(values: Sequence[float | None]) -> list[float | None]:
    """P-values adjusted for their number (Holm 1979); None where there was no test."""
    tested = sorted((value, place) for place, value in enumerate(values) if value is not None)
    adjusted: list[float | None] = [None] * len(values)
    worst = 0.0
    for rank, (value, place) in enumerate(tested):
        worst = max(worst, min(1.0, value * (len(tested) - rank)))
        adjusted[place] = worst
    return adjusted


def _shift(name: str, old: Counts, new: Counts, came: Counts | None) -> ColumnShift:
    """Cells that are empty on both sides count for nothing."""
    filled = (old + new) > 0
    p = None if came is None else _chi_square(came[filled], old[filled])
    if not old.sum() or not new.sum() or filled.sum() < 2:
        return ColumnShift(
            column=name, cells=int(filled.sum()), index=None, limit=None, moved=False, p=p, test=_test(p)
        )
    index = stability_index(old[filled].astype(np.float64), new[filled].astype(np.float64))
    limit = stability_limit(int(filled.sum()), int(old.sum()), int(new.sum()))
    return ColumnShift(
        column=name, cells=int(filled.sum()), index=index, limit=limit, moved=index > limit, p=p, test=_test(p)
    )


def _test(p: float | None) -> str:
    index = "PSI of all rows against its limit"
    return index if p is None else f"{index}; chi-square of the rows that came against the rows before"


def _chi_square(came: Counts, old: Counts) -> float | None:
    """Homogeneity of two independent samples; rare cells are put together. None where nothing can be tested."""
    total = came + old
    if not came.sum() or not old.sum():
        return None
    expected = total * (came.sum() / total.sum())
    rare = expected < FEWEST_EXPECTED
    table = np.stack([came, old])
    table = np.concatenate([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)], axis=1)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return None
    from scipy.stats import chi2_contingency

    return float(chi2_contingency(table, correction=False).pvalue)


def _two_by_two(added: int, came: int, old: int, rows: int) -> float | None:
    if not came or not rows or not added + old:
        return None
    table = np.array([[added, came - added], [old, rows - old]])
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    from scipy.stats import chi2_contingency, fisher_exact

    if (table.sum(axis=0) == 0).any():
        return None
    if expected.min() < FEWEST_EXPECTED:
        return float(fisher_exact(table).pvalue)
    return float(chi2_contingency(table, correction=False).pvalue)


def _sign_test(gained: int, lost: int) -> float | None:
    if not gained + lost:
        return None
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue)


def _label_counts(rows: VersionRows, labels: Sequence[str], only: Rows | None = None) -> Counts:
    """Rows per label in the order of `labels`."""
    numbers = rows.label if only is None else rows.label[only]
    counts = dict(
        zip(rows.facts.labels, np.bincount(numbers[numbers >= 0], minlength=len(rows.facts.labels)), strict=True)
    )
    return np.array([counts.get(label, 0) for label in labels], dtype=np.int64)


def _lengths(old: NDArray[np.int32], new: NDArray[np.int32], came: Rows) -> tuple[Counts, Counts, Counts]:
    """Histograms over cells that hold about a tenth of the old rows each."""
    if not len(old):
        nothing = np.zeros(1, dtype=np.int64)
        return nothing, nothing, nothing
    edges = np.unique(np.quantile(old, np.arange(1, LENGTH_CELLS) / LENGTH_CELLS))
    cells = [np.searchsorted(edges, values, side="right") for values in (old, new, new[came])]
    counted = [np.bincount(values, minlength=len(edges) + 1) for values in cells]
    return counted[0], counted[1], counted[2]


def _aligned(old: Mapping[str, int], new: Mapping[str, int]) -> tuple[Counts, Counts]:
    values = sorted({*old, *new})
    return tuple(np.array([side.get(value, 0) for value in values], dtype=np.int64) for side in (old, new))  # type: ignore[return-value]
