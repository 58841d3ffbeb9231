"""The difference of two data versions: what became of every row, label flows and shifts; rows come page by page.

Every row of both versions is in exactly one class: `same`, or one of KINDS. A pair of rows that differ in several
ways counts under the first that applies; `Change.changed` names them all.
"""

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PrivateAttr

from tunegate.data_versions.matching import NOBODY, Rows, match
from tunegate.data_versions.naming import DataVersion
from tunegate.data_versions.near_pairs import near_pairs
from tunegate.data_versions.reading import VersionRows, read_version
from tunegate.data_versions.shifts import ColumnShift, LabelShift, column_shifts, label_shifts
from tunegate.progress import Progress
from tunegate.workspace import Workspace, fresh_folder, write_atomically

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
FORMAT = 1
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


def data_diff(workspace: Workspace, before: DataVersion, after: DataVersion, progress: Progress) -> DataDiff:
    """Read both versions (or find them read), match their rows, and keep the result under the state folder."""
    state = workspace.state / "data-versions"
    sides = tuple(read_version(version, state / version.fingerprint, progress) for version in (before, after))
    folder = workspace.state / "data-diffs" / f"{before.fingerprint}-{after.fingerprint}-{FORMAT}"
    if not (folder / "diff.json").is_file():
        with fresh_folder(folder) as unfinished:
            _write(unfinished, before, after, (sides[0], sides[1]), progress)
    stored = json.loads((folder / "diff.json").read_text(encoding="utf-8"))
    stored["before"] |= {"name": before.name, "commit": before.commit}  # the same content under another name
    stored["after"] |= {"name": after.name, "commit": after.commit}
    diff = DataDiff.model_validate(stored)
    diff._folder, diff._sides = folder, (sides[0], sides[1])
    return diff


def _write(
    folder: Path, before: DataVersion, after: DataVersion, sides: tuple[VersionRows, VersionRows], progress: Progress
) -> None:
    old, new = sides
    matched = match(old.keys, new.keys)
    similarity = np.full(len(old), np.nan, dtype=np.float32)
    partner = matched.after.copy()
    taken = np.zeros(len(new), dtype=bool)
    taken[partner[partner != NOBODY]] = True
    near = near_pairs(old.text, np.flatnonzero(partner == NOBODY), new.text, np.flatnonzero(~taken))
    partner[near.before], similarity[near.before], taken[near.after] = near.after, near.similarity, True
    gone, came = np.flatnonzero(partner == NOBODY), np.flatnonzero(~taken)
    paired = np.flatnonzero(partner != NOBODY)
    flags = _flags(sides, paired, partner[paired])
    kinds = _kinds(flags)
    changed = kinds >= 0
    _write_changes(folder, (gone, came), (paired, partner[paired], kinds, flags, similarity[paired]))
    flow = _flow(sides, paired, partner[paired])
    summary = {
        "pipeline": after.pipeline,
        "before": _side(before, old),
        "after": _side(after, new),
        "same": int((~changed).sum()),
        "counts": {
            "added": len(came),
            "removed": len(gone),
            **{kind: int((kinds == KINDS.index(kind)).sum()) for kind in KINDS[2:]},
        },
        "also": {name: int((flags & 1 << bit > 0).sum()) for bit, name in enumerate(ASPECTS[:3])},
        "flow": _flow_table(flow, sides),
        "labels": [one.model_dump() for one in label_shifts(old, new, came, gone, _square(flow, sides))],
        "columns": [one.model_dump() for one in column_shifts(old, new, came)],
        "notes": _notes(matched.ids_reused, len(near.before)),
    }
    write_atomically(folder / "diff.json", json.dumps(summary, ensure_ascii=False))


def _side(version: DataVersion, rows: VersionRows) -> dict[str, Any]:
    facts = rows.facts
    return {
        "name": version.name,
        "rows": facts.rows,
        "rejected": facts.rejected,
        "sources": facts.sources,
        "unread": list(version.unread),
    }


def _flags(sides: tuple[VersionRows, VersionRows], rows: Rows, partners: Rows) -> NDArray[np.uint8]:
    """A bit per aspect that differs, in the order of ASPECTS."""
    old, new = sides[0].keys, sides[1].keys
    flags = np.zeros(len(rows), dtype=np.uint8)
    for bit, name in enumerate(("exact", "label", "split", "rest", "id")):
        flags |= (getattr(old, name)[rows] != getattr(new, name)[partners]).astype(np.uint8) << np.uint8(bit)
    return flags


def _kinds(flags: NDArray[np.uint8]) -> NDArray[np.int8]:
    """The number in KINDS, -1 for a pair that is the same in everything."""
    kinds = np.where(flags > 0, KINDS.index("other"), -1).astype(np.int8)
    for bit, kind in ((2, "moved"), (1, "relabelled"), (0, "edited")):
        kinds[flags & (1 << bit) > 0] = KINDS.index(kind)
    return kinds


def _write_changes(folder: Path, alone: tuple[Rows, Rows], pairs: tuple[Any, ...]) -> None:
    """`changes.parquet` by kind and place, and `pairs.parquet` with the kind of every pair (0: the same)."""
    gone, came = alone
    rows, partners, kinds, flags, similarity = pairs
    changed = np.flatnonzero(kinds >= 0)
    changed = changed[np.argsort(kinds[changed], kind="stable")]
    nobody = [np.full(len(side), NOBODY) for side in (came, gone)]
    number = np.concatenate([np.full(len(came), 0), np.full(len(gone), 1), kinds[changed]]).astype(np.int8)
    values = np.concatenate([np.full(len(came) + len(gone), np.nan), similarity[changed]]).astype(np.float32)
    table = pa.table(
        {
            "kind": number,
            "before": np.concatenate([nobody[0], gone, rows[changed]]),
            "after": np.concatenate([came, nobody[1], partners[changed]]),
            "flags": np.concatenate([np.zeros(len(came) + len(gone), np.uint8), flags[changed]]),
            "similarity": pa.array(values, mask=np.isnan(values)),
        }
    )
    pq.write_table(table, folder / "changes.parquet", compression="zstd")
    matched = pa.table({"before": rows, "after": partners, "kind": (kinds + 1).astype(np.int8)})
    pq.write_table(matched, folder / "pairs.parquet", compression="zstd")


def _flow(sides: tuple[VersionRows, VersionRows], rows: Rows, partners: Rows) -> NDArray[np.int64]:
    """Matched rows by label number before and after, the last row and column for no label."""
    before, after = sides[0].label[rows], sides[1].label[partners]
    sizes = [len(side.facts.labels) + 1 for side in sides]
    numbers = (before % sizes[0]).astype(np.int64) * sizes[1] + after % sizes[1]
    return np.bincount(numbers, minlength=sizes[0] * sizes[1]).reshape(sizes)


def _flow_table(flow: NDArray[np.int64], sides: tuple[VersionRows, VersionRows]) -> list[dict[str, Any]]:
    names = [[*side.facts.labels, None] for side in sides]
    found = [
        {"before": names[0][row], "after": names[1][column], "rows": int(flow[row, column])}
        for row, column in np.argwhere(flow)
        if names[0][row] != names[1][column]
    ]
    return sorted(found, key=lambda one: (-one["rows"], str(one["before"]), str(one["after"])))


def _square(flow: NDArray[np.int64], sides: tuple[VersionRows, VersionRows]) -> NDArray[np.int64]:
    """The flows over the sorted labels of both versions; rows without a label are left out."""
    labels = {label: place for place, label in enumerate(sorted({*sides[0].facts.labels, *sides[1].facts.labels}))}
    square = np.zeros((len(labels), len(labels)), dtype=np.int64)
    places = [[labels[label] for label in side.facts.labels] for side in sides]
    square[np.ix_(*places)] = flow[:-1, :-1]
    return square


def _notes(ids_reused: bool, near: int) -> list[str]:
    notes = []
    if ids_reused:
        notes.append(
            "Most ids stand with other texts than before, and those texts are still there under other ids: rows are "
            "matched by content first. Ids that are row numbers do this; give rows ids that stay."
        )
    if near:
        rows = "row was" if near == 1 else "rows were"
        notes.append(f"{near:,} {rows} matched by similar text and counted as edited (similarity of 0.6 and more).")
    return notes


def _records(side: VersionRows, rows: Rows) -> list[dict[str, Any] | None]:
    """The records, None where the row is NOBODY."""
    there = np.flatnonzero(rows >= 0)
    table = side.take(rows[there])
    found: list[dict[str, Any] | None] = [None] * len(rows)
    for place, record in zip(there.tolist(), table.to_pylist(), strict=True):
        found[place] = record
    return found
