"""Rows that a person may repair or relabel here: those in quarantine, and those whose label is suspect."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunegate.data_versions.adding import Place, Proposal, discard, propose_edits
from tunegate.data_versions.suspects import Suspect, find_suspects
from tunegate.errors import UserError
from tunegate.inputs import read_inputs
from tunegate.progress import Progress
from tunegate.records import SPLITS, read_table
from tunegate.review.snapshots import NOW, Snapshot, open_snapshot
from tunegate.tasks import record_of
from tunegate.workspace import Workspace

LONGEST = 20_000  # characters that a box of a form is good for
MOST_CHANGES = 1_000
COMPARED = ("id", "text", "text_b", "label")  # what tells that a line still holds the row that was looked at


@dataclass(frozen=True)
class Field:
    """One part of a row; `choices` where it is a label."""

    name: str
    value: str
    choices: Sequence[str] = ()

    @property
    def too_long(self) -> bool:
        return len(self.value) > LONGEST


@dataclass(frozen=True)
class Mendable:
    """A row with what is wrong with it. No fields: the line could not be read as a row at all."""

    source: str
    line: int
    id: str
    rule: str
    reason: str
    remedy: str
    fields: Sequence[Field]
    raw: str
    suspect: Suspect | None = None

    @property
    def place(self) -> Place:
        return self.source, self.line


def quarantined(workspace: Workspace, pipeline: str, rule: str = "") -> pa.Table:
    """The quarantine of the working tree. Raises NotThereError before the first run."""
    folder = open_snapshot(workspace, pipeline, NOW).folder("validate")
    table = read_table(folder / "quarantine.parquet")
    return table.filter(pc.equal(table["rule"], rule)) if rule else table


def labels_of(workspace: Workspace, pipeline: str) -> list[str]:
    """Those that validation knows."""
    path = workspace.stage(pipeline, "validate") / "labels.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def task_of(workspace: Workspace, pipeline: str) -> str:
    """Of the run that the quarantine comes from."""
    return str(read_inputs(workspace.inputs(pipeline)).params["task"])


def mendable(row: Mapping[str, Any], task: str, labels: Sequence[str]) -> Mendable:
    """A row of `records.QUARANTINE`, as a form shows it."""
    values = _values(str(row["raw"]))
    payload = [column for column in record_of(task).PAYLOAD if column.name in values]
    fields = [
        Field(column.name, str(values[column.name] or ""), tuple(labels) if column.kind == "label" else ())
        for column in payload
    ]
    return Mendable(
        source=row["source"],
        line=row["source_line"],
        id=row["id"] or "",
        rule=row["rule"],
        reason=row["reason"],
        remedy=row["remedy"],
        fields=fields,
        raw=row["raw"],
    )


def suspicious(suspect: Suspect, labels: Sequence[str]) -> Mendable:
    """A row whose label may be wrong: the label alone is asked for."""
    return Mendable(
        source=suspect.source,
        line=suspect.source_line,
        id=suspect.id,
        rule="",
        reason="",
        remedy="",
        fields=[Field("label", suspect.label, tuple(labels))],
        raw=suspect.text,
        suspect=suspect,
    )


def suspects_of(snapshot: Snapshot) -> Sequence[Suspect]:
    """Likely label errors, the surest first; seconds the first time. Raises what `find_suspects` raises."""
    return _suspects(snapshot, (snapshot.state("validate"), snapshot.state("evaluate")))


@lru_cache(maxsize=8)
def _suspects(snapshot: Snapshot, _states: tuple[str, str]) -> Sequence[Suspect]:
    return find_suspects(snapshot.workspace, snapshot.pipeline).suspects


def _values(raw: str) -> Mapping[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def proposed(workspace: Workspace, pipeline: str, edits: Mapping[Place, Mapping[str, str] | None]) -> Proposal:
    """The data with these rows rewritten (or taken out), not yet written.

    Raises UserError where nothing would change, and where the raw data is no longer what was validated: line numbers
    would hit other rows.
    """
    if not edits:
        raise UserError("No row was changed.", "Change a text or a label, or take a row out.")
    if len(edits) > MOST_CHANGES:
        raise UserError(f"{len(edits):,} rows at once are too many.", f"Change up to {MOST_CHANGES:,} at a time.")
    proposal = propose_edits(workspace, pipeline, edits, Progress("rows", StringIO()))
    shown = _shown(workspace, pipeline, edits.keys())
    hit = {(record["source"], record["source_line"]): record for record in _before(proposal)}
    for place in edits:
        if place not in shown or (place in hit and not _same(hit[place], shown[place])):
            discard(proposal)
            raise UserError(
                f"{place[0]}:{place[1]} is not the row that was validated: the data has changed since.",
                "Run the pipeline again, then repair what is in quarantine then.",
            )
    return proposal


def _shown(workspace: Workspace, pipeline: str, places: Collection[Place]) -> dict[Place, Mapping[str, Any]]:
    """The rows as they were validated: those in quarantine, and those that stayed."""
    found: dict[Place, Mapping[str, Any]] = {}
    for row in _at(quarantined(workspace, pipeline), places):
        found[row["source"], row["source_line"]] = {**_values(row["raw"]), "id": row["id"]}
    for split in SPLITS:
        for row in _at(read_table(workspace.stage(pipeline, "validate") / f"{split}.parquet"), places):
            found[row["source"], row["source_line"]] = row
    return found


def _at(table: pa.Table, places: Collection[Place]) -> list[Mapping[str, Any]]:
    lines = pa.array(sorted({line for _, line in places}), pa.int64())
    near: list[Mapping[str, Any]] = table.filter(pc.is_in(table["source_line"], value_set=lines)).to_pylist()
    return [row for row in near if (row["source"], row["source_line"]) in places]


def _before(proposal: Proposal) -> list[Mapping[str, Any]]:
    changes = proposal.diff.rows(limit=proposal.diff.count())
    return [change.before for change in changes if change.before is not None]


def _same(record: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    return all((record.get(name) or "") == (shown.get(name) or "") for name in COMPARED if name in shown)
