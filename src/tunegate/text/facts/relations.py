"""What rows are to each other, on 64-bit keys of their texts: duplicates, leaks between splits, conflicting labels.

Sides are numbered by how much they are protected: 0 train, 1 validation, 2 test. A row is judged against its own
side and the more protected ones only, so that an evaluation row is never touched for a training row's sake.
Rows that are not `sound` (they go for a reason of their own) are nobody's twin.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Relations:
    """Per fact, for each row the other row that makes it true (its twin), or -1 where the fact is false."""

    dup_exact: Rows
    dup_near: Rows
    leak_exact: Rows
    leak_near: Rows
    label_conflict: Rows


def relations(
    exact: Keys, near: Keys, side: NDArray[np.int8], label: NDArray[np.int64], sound: NDArray[np.bool_]
) -> Relations:
    """`label` numbers the labels, -1 for none. Equal exact keys imply equal near keys."""
    kept = np.flatnonzero(sound)
    exact, near, side, label = exact[kept], near[kept], side[kept], label[kept]
    same_side_exact = _first_twin(_groups(exact, side))
    same_side = _first_twin(_groups(near, side))
    leak_exact = _protected_twin(exact, side)
    leak = _protected_twin(near, side)
    found = Relations(
        dup_exact=same_side_exact,
        dup_near=np.where(same_side_exact < 0, same_side, -1),
        leak_exact=leak_exact,
        leak_near=np.where(leak_exact < 0, leak, -1),
        label_conflict=_conflicting(near, side, label),
    )
    return Relations(**{name: _spread(twins, kept, len(sound)) for name, twins in vars(found).items()})


def without_conflicts(found: Relations) -> Relations:
    """Where all rows of a text go because their labels conflict, none of them is left to be a duplicate of."""
    conflict = found.label_conflict >= 0
    return replace(
        found, dup_exact=np.where(conflict, -1, found.dup_exact), dup_near=np.where(conflict, -1, found.dup_near)
    )


def later_copies(keys: Keys, side: NDArray[np.int8]) -> Rows:
    """The twin of each row whose key stands on a more protected side or earlier, else -1."""
    order = np.lexsort((np.arange(len(keys)), -side, keys))
    first = _spread_first(order, keys[order])
    return np.where(first == np.arange(len(keys)), -1, first)


def _groups(keys: Keys, side: NDArray[np.int8]) -> Keys:
    """A number per (key, side)."""
    numbers = np.unique(keys, return_inverse=True)[1].astype(np.uint64)
    return numbers * np.uint64(3) + side.astype(np.uint64)


def _first_twin(groups: Keys) -> Rows:
    """The group's first row, for all its other rows."""
    order = np.argsort(groups, kind="stable")
    first = _spread_first(order, groups[order])
    return np.where(first == np.arange(len(groups)), -1, first)


def _protected_twin(keys: Keys, side: NDArray[np.int8]) -> Rows:
    """The first row with the key on the most protected side, for the rows on less protected ones."""
    order = np.lexsort((np.arange(len(keys)), -side, keys))
    first = _spread_first(order, keys[order])
    return np.where(side[first] > side, first, -1)


def _spread_first(order: Rows, keys: Keys) -> Rows:
    """For each row, the first row of its group in the order given; `keys` stand in that order."""
    starts = _starts(keys)
    first = np.empty(len(order), dtype=np.int64)
    first[order] = np.repeat(order[starts], np.diff(np.append(starts, len(order))))
    return first


def _starts(keys: Keys) -> Rows:
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])


def _conflicting(keys: Keys, side: NDArray[np.int8], label: NDArray[np.int64]) -> Rows:
    """For each row with another label among the rows of its text on its own side and above, one such row."""
    twins = np.full(len(keys), -1, dtype=np.int64)
    for level in range(3):
        rows = np.flatnonzero((side >= level) & (label >= 0))
        other = _other_label(keys[rows], label[rows])
        conflicting = (other >= 0) & (side[rows] == level)
        twins[rows[conflicting]] = rows[other[conflicting]]
    return twins


def _other_label(keys: Keys, label: NDArray[np.int64]) -> Rows:
    """For each row, a row of the same key with another label, or -1."""
    order = np.lexsort((np.arange(len(keys)), label, keys))
    lowest = _spread_first(order, keys[order])
    highest = _spread_first(order[::-1], keys[order[::-1]])
    other = np.where(label[lowest] != label, lowest, highest)
    return np.where(label[other] != label, other, -1)


def _spread(twins: Rows, kept: Rows, size: int) -> Rows:
    """Row numbers among the kept rows back to those among all rows."""
    result = np.full(size, -1, dtype=np.int64)
    if len(kept):
        result[kept] = np.where(twins >= 0, kept[twins], -1)
    return result
