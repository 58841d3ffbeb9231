"""The difference of two data versions: what became of every row, label flows and shifts; rows come page by page.

Every row of both versions is in exactly one class: `same`, or one of KINDS. A pair of rows that differ in several
ways counts under the first that applies; `Change.changed` names them all.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, PrivateAttr

from tunegate.data_versions.matching import NOBODY, Rows
from tunegate.data_versions.reading import VersionRows
from tunegate.data_versions.shifts import ColumnShift, LabelShift

Kind = Literal["added", "removed", "edited", "relabelled", "moved", "other"]
KINDS: tuple[Kind, ...] = ("added", "removed", "edited", "relabelled", "moved", "other")
TITLES = {
    "added": "added",
    "removed": "removed",
    "edited": "text edited",
    "relabelled": "relabelled",
    "moved": "moved between splits",
    "other": "changed in another column",
}
ASPECTS = ("text", "label", "split", "other columns", "id")
AT_ONCE = 10_000  # rows of an iteration over all changes


class Side(BaseModel):
    """One of the two versions."""

    model_config = ConfigDict(frozen=True)

    name: str
    rows: int
    rejected: int  # lines that could not be read
    sources: dict[str, int]
    unread: list[str]  # files that no pattern names
    commit: str | None = None


class Flow(BaseModel):
    """Matched rows whose label became another one."""

    model_config = ConfigDict(frozen=True)

    before: str | None
    after: str | None
    rows: int


class Change(BaseModel):
    """One row's fate. `before` and `after` are its records, None where the row was not there."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    changed: list[str]
    similarity: float | None  # of the texts, for an edited row that was matched by content
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class DataDiff(BaseModel):
    """The value. `counts` has every kind; rows are read from disk when they are asked for."""

    model_config = ConfigDict(frozen=True)

    pipeline: str
    before: Side
    after: Side
    same: int
    counts: dict[str, int]
    also: dict[str, int]  # pairs of which this changed, whatever their kind: text, label, split
    flow: list[Flow]
    labels: list[LabelShift]
    columns: list[ColumnShift]
    notes: list[str]
    _folder: Path = PrivateAttr()
    _sides: tuple[VersionRows, VersionRows] = PrivateAttr()

    @property
    def is_empty(self) -> bool:
        return not any(self.counts.values())

    def count(self, kind: Kind | None = None, before: str | None = None, after: str | None = None) -> int:
        """Rows that `rows` would give in all."""
        return len(self._chosen(kind, before, after))

    def rows(
        self,
        kind: Kind | None = None,
        *,
        offset: int = 0,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
    ) -> list[Change]:
        """A page of changed rows, of one kind or of all; `before` and `after` are labels to look for."""
        return self._changes(self._chosen(kind, before, after)[offset : offset + limit])

    def every_row(self, kind: Kind | None = None) -> Iterator[Change]:
        """All changed rows, some thousands in memory at a time."""
        chosen = self._chosen(kind, None, None)
        for start in range(0, len(chosen), AT_ONCE):
            yield from self._changes(chosen[start : start + AT_ONCE])

    def pairs(self) -> tuple[Rows, Rows, list[str]]:
        """For every row of the after side: its row before or NOBODY, and the number of its kind, with the names."""
        partner, kind = np.full(len(self._sides[1]), NOBODY), np.zeros(len(self._sides[1]), dtype=np.int64)
        table = pq.read_table(self._folder / "pairs.parquet")
        rows = np.asarray(table["after"])
        partner[rows], kind[rows] = np.asarray(table["before"]), np.asarray(table["kind"])
        return partner, kind, ["same", *KINDS]

    @property
    def sides(self) -> tuple[VersionRows, VersionRows]:
        """The rows of both versions."""
        return self._sides

    @cached_property
    def _table(self) -> pa.Table:
        return pq.read_table(self._folder / "changes.parquet", memory_map=True)

    def _chosen(self, kind: Kind | None, before: str | None, after: str | None) -> Rows:
        chosen = np.ones(len(self._table), dtype=bool)
        if kind is not None:
            chosen &= np.asarray(self._table["kind"]) == KINDS.index(kind)
        for side, label, column in zip(self._sides, (before, after), ("before", "after"), strict=True):
            if label is not None:
                number = side.facts.labels.index(label) if label in side.facts.labels else -2
                rows = np.asarray(self._table[column])
                labels = np.append(side.label, -2)  # a row that is not there reads the last one
                chosen &= (rows >= 0) & (labels[rows] == number) & (number >= 0)
        return np.flatnonzero(chosen)

    def _changes(self, numbers: Rows) -> list[Change]:
        table = self._table.take(pa.array(numbers))
        sides = [
            _records(side, np.asarray(table[name])) for side, name in zip(self._sides, ("before", "after"), strict=True)
        ]
        return [
            Change(
                kind=KINDS[kind],
                changed=[name for bit, name in enumerate(ASPECTS) if flags & 1 << bit],
                similarity=None if similarity is None else round(similarity, 3),
                before=before,
                after=after,
            )
            for kind, flags, similarity, before, after in zip(
                table["kind"].to_pylist(),
                table["flags"].to_pylist(),
                table["similarity"].to_pylist(),
                *sides,
                strict=True,
            )
        ]


def _records(side: VersionRows, rows: Rows) -> list[dict[str, Any] | None]:
    """The records, None where the row is NOBODY."""
    there = np.flatnonzero(rows >= 0)
    table = side.take(rows[there])
    found: list[dict[str, Any] | None] = [None] * len(rows)
    for place, record in zip(there.tolist(), table.to_pylist(), strict=True):
        found[place] = record
    return found
