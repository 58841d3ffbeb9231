"""Which row of the one version is which row of the other, on 64-bit keys. Numbers only: no text, no file.

By id first, then by content. Where most ids stand with other texts than before although those texts are still there
(ids that are row numbers, after a row was put in), ids say nothing, and content goes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]
NOBODY = -1
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads a key before another is added to it


@dataclass(frozen=True)
class RowKeys:
    """One number per row and aspect; equal numbers mean equal contents. `split` and `label` stand for what they name.

    `exact` is of the texts to the last character, `near` of the texts once normalised, `rest` of every other column.
    """

    id: Keys
    exact: Keys
    near: Keys
    label: Keys
    split: Keys
    rest: Keys

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Matched:
    """`after` is the row's number in the other version, or NOBODY, int64 [rows before]."""

    after: Rows
    ids_reused: bool


def match(before: RowKeys, after: RowKeys) -> Matched:
    """Pairs by id and by content; of rows that are alike, the first goes with the first."""
    pairing = _Pairing(before, after)
    pairing.by("id", "exact")
    reused = _ids_reused(pairing)
    content = (("exact", "label", "split"), ("exact", "label"), ("exact",))
    near = (("near", "label"), ("near",))
    for aspects in (*content, ("id",), *near) if reused else (("id",), *content, *near):
        pairing.by(*aspects)
    return Matched(pairing.partner, reused)


def join(left: Keys, right: Keys) -> tuple[Rows, Rows]:
    """Numbers of equal keys on both sides, the first occurrence with the first, the second with the second."""
    left_order, left_keys, left_starts, left_counts = _grouped(left)
    right_order, right_keys, right_starts, right_counts = _grouped(right)
    _, in_left, in_right = np.intersect1d(left_keys, right_keys, assume_unique=True, return_indices=True)
    counts = np.minimum(left_counts[in_left], right_counts[in_right])
    step = ramp(counts)
    return (
        left_order[np.repeat(left_starts[in_left], counts) + step],
        right_order[np.repeat(right_starts[in_right], counts) + step],
    )


def ramp(counts: Rows) -> Rows:
    """0, 1, ... for each count: [2, 3] gives [0, 1, 0, 1, 2]."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def combined(keys: Sequence[Keys]) -> Keys:
    """One key for several."""
    result = keys[0]
    for key in keys[1:]:
        result = (result ^ (result >> np.uint64(29))) * _ODD + key
    return result


class _Pairing:
    """`partner` while it fills up: each round pairs rows that are still free on both sides."""

    def __init__(self, before: RowKeys, after: RowKeys) -> None:
        self.before, self.after = before, after
        self.partner = np.full(len(before), NOBODY, dtype=np.int64)
        self.taken = np.zeros(len(after), dtype=bool)

    def free(self) -> tuple[Rows, Rows]:
        return np.flatnonzero(self.partner == NOBODY), np.flatnonzero(~self.taken)

    def by(self, *aspects: str) -> None:
        left, right = self.free()
        if not len(left) or not len(right):
            return
        in_left, in_right = join(
            combined([getattr(self.before, aspect)[left] for aspect in aspects]),
            combined([getattr(self.after, aspect)[right] for aspect in aspects]),
        )
        self.partner[left[in_left]] = right[in_right]
        self.taken[right[in_right]] = True


def _ids_reused(pairing: _Pairing) -> bool:
    """Whether more than half of the ids that stand with another text now left a text that still occurs elsewhere."""
    left, right = pairing.free()
    in_left, in_right = join(pairing.before.id[left], pairing.after.id[right])
    left, kept = left[in_left], right[in_right]
    other = pairing.before.near[left] != pairing.after.near[kept]
    if not other.any():
        return False
    elsewhere = np.isin(pairing.before.exact[left[other]], pairing.after.exact[right])
    return bool(elsewhere.sum() * 2 > other.sum())


def _grouped(keys: Keys) -> tuple[Rows, Keys, Rows, Rows]:
    """The order that sorts the keys, the distinct ones, where each starts in that order, and how often it occurs."""
    order = np.argsort(keys, kind="stable")
    distinct, starts, counts = np.unique(keys[order], return_index=True, return_counts=True)
    return order, distinct, starts.astype(np.int64), counts.astype(np.int64)
