"""Sets of labels as CSV files have them: names in one cell with a character between them, or a column of 0 and 1 for
each label. Both become what JSON lines say, a list in the field `labels`, before any column is mapped.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.errors import UserError, did_you_mean
from tunegate.params import IngestSettings
from tunegate.text.readers.rows import Chunk, Reject, Rows, shorten

FIELD = "labels"
YES, NO = frozenset({"1", "1.0", "true"}), frozenset({"0", "0.0", "false"})
REMEDY = "Write 1 where the label holds and 0 where it does not."


def with_label_sets(chunk: Chunk, settings: IngestSettings, source: str) -> Chunk:
    """The chunk with its sets of labels as lists. Raises UserError where the settings name columns that are not there.

    A row with anything but 0 and 1 in a label's column is rejected.
    """
    if settings.label_columns and chunk.rows.columns.schema.names:
        return _gathered(chunk, settings.label_columns, source)
    return _split(chunk, settings) if settings.label_delimiter else chunk


def holds_yes_and_no(values: Sequence[str | None]) -> bool:
    """Whether a column could be a label's: every cell 0 or 1."""
    return bool(values) and all(value is not None and value.strip().lower() in YES | NO for value in values)


def _split(chunk: Chunk, settings: IngestSettings) -> Chunk:
    name, delimiter = settings.columns.get(FIELD, FIELD), settings.label_delimiter or ""
    if name not in chunk.rows.columns.schema.names:
        return chunk
    given = zip(chunk.rows.columns.column(name).to_pylist(), chunk.rows.literal(name), strict=True)
    cells = [cell if literal or cell is None else _listed(cell.split(delimiter)) for cell, literal in given]
    place = chunk.rows.columns.schema.get_field_index(name)
    columns = chunk.rows.columns.set_column(place, name, pa.array(cells, pa.string()))
    marks = np.array([cell is not None for cell in cells], dtype=bool)
    return replace(chunk, rows=replace(chunk.rows, columns=columns, literals={**chunk.rows.literals, name: marks}))


def _listed(names: Sequence[str]) -> str:
    """An empty cell, or one of blanks and delimiters alone, is the empty set."""
    return json.dumps([name.strip() for name in names if name.strip()], ensure_ascii=False)


def _gathered(chunk: Chunk, labels: Sequence[str], source: str) -> Chunk:
    found = chunk.rows.columns.schema.names
    _refuse_missing(labels, found, source)
    cells = {
        name: [(cell or "").strip().lower() for cell in chunk.rows.columns.column(name).to_pylist()] for name in labels
    }
    odd = {name: np.array([value not in YES | NO for value in values], dtype=bool) for name, values in cells.items()}
    bad = np.logical_or.reduce(list(odd.values()))
    held = zip(*([name if value in YES else None for value in values] for name, values in cells.items()), strict=True)
    sets = [json.dumps([name for name in row if name], ensure_ascii=False) for row in held]
    columns = chunk.rows.columns.drop_columns(list(labels)).append_column(FIELD, pa.array(sets, pa.string()))
    literals = {**chunk.rows.literals, FIELD: np.ones(len(sets), dtype=bool)}
    rows = _only(Rows(columns, chunk.rows.lines, chunk.rows.offsets, literals), ~bad)
    return replace(chunk, rows=rows, rejects=(*chunk.rejects, *_rejects(chunk, odd, bad)))


def _refuse_missing(labels: Sequence[str], found: Sequence[str], source: str) -> None:
    for name in labels:
        if name not in found:
            raise UserError(
                f'ingest.label_columns: {source} has no column "{name}".{did_you_mean(name, found)} '
                f"Its columns are: {', '.join(map(repr, found))}.",
                "Name the columns that hold 0 and 1, one for each label.",
            )
    if FIELD in found and FIELD not in labels:
        raise UserError(
            f"{source} has a column {FIELD!r} beside those of ingest.label_columns: which is meant cannot be told.",
            "Take ingest.label_columns out, or rename the column.",
        )


def _only(rows: Rows, kept: NDArray[np.bool_]) -> Rows:
    literals = {name: marks[kept] for name, marks in rows.literals.items()}
    return Rows(rows.columns.filter(pa.array(kept)), rows.lines[kept], rows.offsets[kept], literals)


def _rejects(chunk: Chunk, odd: dict[str, NDArray[np.bool_]], bad: NDArray[np.bool_]) -> list[Reject]:
    rejects = []
    for row in np.flatnonzero(bad).tolist():
        name = next(name for name, marks in odd.items() if marks[row])
        cells = chunk.rows.columns.slice(row, 1).to_pylist()[0]
        reason = f"the column of the label {name!r} holds {cells[name]!r}, neither 1 nor 0"
        raw = shorten(json.dumps(cells, ensure_ascii=False))
        offset = chunk.place(int(chunk.rows.offsets[row]))
        rejects.append(Reject(int(chunk.rows.lines[row]), offset, "LABEL_CELL", reason, REMEDY, raw))
    return rejects
