"""Comparing two data versions: both read (or found read), rows matched, classes, flows and shifts written down."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tunegate.data_versions.changes import ASPECTS, KINDS, TITLES, Change, DataDiff, Kind
from tunegate.data_versions.matching import NOBODY, Rows, match
from tunegate.data_versions.naming import DataVersion
from tunegate.data_versions.near_pairs import near_pairs
from tunegate.data_versions.reading import VersionRows, read_version
from tunegate.data_versions.shifts import column_shifts, label_shifts
from tunegate.progress import Progress
from tunegate.workspace import Workspace, fresh_folder, write_atomically

FORMAT = 1  # of what is kept

__all__ = ["KINDS", "TITLES", "Change", "DataDiff", "Kind", "data_diff"]


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
