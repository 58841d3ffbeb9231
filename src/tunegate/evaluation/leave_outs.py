"""Which test rows may not count when two models are compared: those that one of them has learnt from or cannot know.

Found by id, and by what the row asks: texts that are one text to `text.normalise`, and near duplicates by the strict
measure of `text.near`. The measure by which validate parts rows leaves out too much: of Banking77, short questions,
473 of 3,080 instead of 42, and few of them ask the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.records import Payload, answer_columns, texts_of
from tunegate.text.near import NOBODY, KnownTexts

Mask = NDArray[np.bool_]
LEARNT, ASKED = 0, 1


@dataclass(frozen=True)
class LeaveOuts:
    """Per test row [n]: does the model know the row, by its id or by its text, and does it not know its label?"""

    by_id: Mask
    by_text: Mask
    label_unknown: Mask

    @property
    def trained_on(self) -> Mask:
        return self.by_id | self.by_text

    @property
    def kept(self) -> Mask:
        return ~(self.trained_on | self.label_unknown)


def leave_outs(
    rows: pa.Table, learnt: Sequence[pa.Table], payload: Sequence[Payload], labels: Sequence[str] | None
) -> LeaveOuts:
    """Of a model that learnt from these tables and knows these labels (None: all that occur; none at all: its task has
    no label file, and any answer can be known)."""
    nothing = np.zeros(len(rows), dtype=bool)
    by_id, by_text = nothing, nothing
    for table in learnt:
        by_id = by_id | np.asarray(pc.is_in(rows["id"], value_set=table["id"].combine_chunks()))
        by_text = by_text | _near(texts_of(rows, payload), texts_of(table, payload))
    unknown = _unknown(rows, payload, labels) if labels else nothing
    return LeaveOuts(by_id, by_text, unknown)


def _near(asked: Sequence[pa.Array], learnt: Sequence[pa.Array]) -> Mask:
    """Which of the asked texts [n] equal or nearly equal a learnt one."""
    known = KnownTexts(learnt, np.full(len(learnt[0]), LEARNT, dtype=np.int64), strict=True)
    return np.asarray(known.twins(asked, np.full(len(asked[0]), ASKED, dtype=np.int64)) != NOBODY)


def _unknown(rows: pa.Table, payload: Sequence[Payload], labels: Sequence[str]) -> Mask:
    """Rows whose answer names a label that is not known: an answer of one label, or a list of labels."""
    unknown = np.zeros(len(rows), dtype=bool)
    for name in answer_columns(payload):
        column = rows[name].combine_chunks()
        if pa.types.is_string(column.type):
            unknown |= _others(column, labels)
        elif pa.types.is_list(column.type) and pa.types.is_string(column.type.value_type):
            members = _others(column.flatten(), labels)
            unknown[np.asarray(pc.list_parent_indices(column))[members]] = True
    return unknown


def _others(names: pa.Array, labels: Sequence[str]) -> Mask:
    return ~np.asarray(pc.is_in(names, value_set=pa.array([*labels, None], pa.string())), dtype=bool)
