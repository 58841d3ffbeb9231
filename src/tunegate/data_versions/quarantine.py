"""Rows that validation took out: to look at, to export for repair, and to bring back as a new data version.

A repaired row is found again by its file and line (and its id, where the data has changed since). Rows that were not
quarantined can be rewritten the same way: so suspects are relabelled.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from tunegate.data_versions.adding import Place, Proposal, propose_edits
from tunegate.data_versions.naming import find_version, settings_of
from tunegate.data_versions.reading import VersionRows, read_version
from tunegate.data_versions.tables import read_rows, write_rows
from tunegate.errors import UserError
from tunegate.progress import Progress
from tunegate.records import QUARANTINE, Payload, read_table
from tunegate.tasks import record_of
from tunegate.workspace import Workspace

ABOUT = ("source", "source_line", "id", "split", "rule", "reason", "remedy")
MORE = ("group", "annotator")
DROP = "drop"  # a column of the repaired file: anything in it takes the row out
NO = ("", "no", "false", "0")


def quarantined(workspace: Workspace, pipeline: str, rule: str | None = None) -> pa.Table:
    """`records.QUARANTINE`, of one rule or of all. Raises UserError before the first run, or for a rule not in it."""
    settings_of(workspace, pipeline)
    path = workspace.stage(pipeline, "validate") / "quarantine.parquet"
    if not path.is_file():
        raise UserError(f"{pipeline} has no validated data yet.", f"Run it first: `tunegate run {pipeline}`.")
    table = read_table(path)
    if rule is None:
        return table
    rules = sorted(set(table["rule"].to_pylist()))
    if rule not in rules:
        raise UserError(f"No row is quarantined by {rule}.", f"The rules with rows are: {', '.join(rules) or 'none'}.")
    return table.filter(pc.equal(table["rule"], rule))


def by_rule(table: pa.Table) -> dict[str, int]:
    """Rows per rule, the most first."""
    counts = {one["values"]: one["counts"] for one in pc.value_counts(table["rule"]).to_pylist()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def repairable(table: pa.Table, payload: Sequence[Payload]) -> Iterable[dict[str, Any]]:
    """Rows with their fields as columns; of a line that could not be read, the line itself as `raw`."""
    for row in table.select(QUARANTINE.names).to_pylist():
        fields = json.loads(row["raw"]) if row["id"] is not None else {"raw": row["raw"]}
        yield {**row, "raw": None, **fields}


def export(workspace: Workspace, pipeline: str, path: Path, rule: str | None = None) -> int:
    """Write the rows for repair as CSV or JSON lines; how many they are. Raises UserError."""
    payload = record_of(settings_of(workspace, pipeline).task).PAYLOAD
    columns = [*ABOUT, *(column.name for column in payload), *MORE, "raw", DROP]
    return write_rows(path, columns, repairable(quarantined(workspace, pipeline, rule), payload))


def readmit(workspace: Workspace, pipeline: str, path: Path, progress: Progress) -> Proposal:
    """A new data version with the file's rows in the place of the raw ones; unchanged rows are left alone.

    Raises UserError for rows that are not where the file says.
    """
    settings = settings_of(workspace, pipeline)
    version = find_version(workspace, settings.data, pipeline)
    current = read_version(version, workspace.state / "data-versions" / version.fingerprint, progress)
    names = [*(column.name for column in version.payload), *MORE]
    edits: dict[Place, Mapping[str, str] | None] = {}
    for number, (place, row, old) in enumerate(_located(read_rows(path), current, path), start=1):
        if row.get(DROP, "").strip().lower() not in NO:
            edits[place] = None
            continue
        new = {name: row[name] for name in names if name in row and row[name] != (old.get(name) or "")}
        if old.get("unreadable") and not all(row.get(column.name) for column in version.payload if column.required):
            if any(row.get(name) for name in names):
                raise UserError(
                    f"{path.name}, row {number}: a line that could not be read needs all required fields.",
                    f"Fill in {', '.join(column.name for column in version.payload if column.required)}.",
                )
            continue
        if new:
            edits[place] = new
    return propose_edits(workspace, pipeline, edits, progress)


def _located(
    rows: Sequence[Mapping[str, str]], current: VersionRows, path: Path
) -> Iterable[tuple[Place, Mapping[str, str], Mapping[str, Any]]]:
    """Each row with its place and the record that stands there now."""
    wanted = [_place(row, number, path) for number, row in enumerate(rows, start=1)]
    records = _records_at(current, {line for _, line in wanted})
    rejects = read_table(current.folder / "rejects.parquet", ["source", "source_line"]).to_pylist()
    unreadable: dict[Place, dict[str, Any]] = {
        (one["source"], one["source_line"]): {"unreadable": True} for one in rejects
    }
    for place, row in zip(wanted, rows, strict=True):
        old = records.get(place) or unreadable.get(place)
        if old is None or (row.get("id") and old.get("id") not in (None, row["id"])):
            raise UserError(
                f"{path.name}: {place[0]}:{place[1]} is no longer the row {row.get('id', '')} that it was.",
                "The data has changed since. Run the pipeline again and export anew.",
            )
        yield place, row, old


def _place(row: Mapping[str, str], number: int, path: Path) -> Place:
    line = row.get("source_line", "")
    if not row.get("source") or not line.isdigit():
        raise UserError(
            f"{path.name}, row {number}: source and source_line do not say which row it is.",
            "Keep the columns source and source_line as `--export` wrote them.",
        )
    return row["source"], int(line)


def _records_at(current: VersionRows, lines: set[int]) -> dict[Place, dict[str, Any]]:
    table = ds.dataset(current.folder / "records.arrow", format="ipc").to_table(
        filter=ds.field("source_line").isin(sorted(lines))
    )
    return {(one["source"], one["source_line"]): one for one in table.to_pylist()}
