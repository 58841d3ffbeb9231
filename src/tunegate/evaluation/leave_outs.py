"""Which test rows may not count when two models are compared: those that one of them has learnt from or cannot know.

Found by id, and by what the row asks: near duplicates are texts that are one text to `text.normalise`, here as in
validate; whatever finds more of them there finds more here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tunegate.records import Payload
from tunegate.text.normalise import near_keys

Mask = NDArray[np.bool_]


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
    """Of a model that learnt from these tables and knows these labels (None: all that occur)."""
    nothing = np.zeros(len(rows), dtype=bool)
    by_id, by_text = nothing, nothing
    texts = [column.name for column in payload if column.kind == "text"]
    for table in learnt:
        by_id = by_id | np.asarray(pc.is_in(rows["id"], value_set=table["id"].combine_chunks()))
        by_text = by_text | np.isin(_keys(rows, texts), _keys(table, texts))
    names = [column.name for column in payload if column.kind == "label"]
    unknown = _unknown(rows, names, labels) if labels is not None else nothing
    return LeaveOuts(by_id, by_text, unknown)


def _keys(table: pa.Table, texts: Sequence[str]) -> NDArray[np.uint64]:
    """A column that one of the tables lacks is empty there."""
    columns = [
        table[name].combine_chunks() if name in table.column_names else pa.nulls(len(table), pa.string())
        for name in texts
    ]
    return near_keys(columns)


def _unknown(rows: pa.Table, names: Sequence[str], labels: Sequence[str]) -> Mask:
    known = set(labels)
    unknown = np.zeros(len(rows), dtype=bool)
    for name in names:
        unknown |= np.array([bool(_labels_of(value) - known) for value in rows[name].to_pylist()], dtype=bool)
    return unknown


def _labels_of(value: object) -> set[str]:
    """A row's label, or its labels where it has many."""
    if value is None:
        return set()
    return {value} if isinstance(value, str) else {str(label) for label in value}  # type: ignore[attr-defined]
