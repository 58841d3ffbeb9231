"""Rows to records: the fields from their columns, split, identity and what no field names; rows that do not fit are
rejected with the field's name.

A draft is a table of records whose id is not settled yet: rows without an id of their own hold a hash of their
payload, and identical rows the same one (`numbered` tells them apart once the whole data set is known).
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numpy.typing import NDArray

from tunegate.params import SplitSettings
from tunegate.records import SPLITS, Payload, as_text, record_schema
from tunegate.text.readers.mapping import FieldColumns
from tunegate.text.readers.rows import Chunk, Reject, Rows, shorten
from tunegate.text.splits import split_by_hash
from tunegate.text.values import parsed, parsed_in_rows, unparsed

LONGEST_NUMBER = 18  # digits of a label or id given as a number
HAS_ID = "has_id"
REMEDY_TYPE = "Write it as one text, in quotes."


def draft_schema(payload: Sequence[Payload]) -> pa.Schema:
    """The records' schema, and whether the row brought its own id."""
    return record_schema(tuple(payload)).append(pa.field(HAS_ID, pa.bool_(), nullable=False))


@dataclass(frozen=True)
class DraftMaker:
    """What is the same for all rows of one file. `split` is the file's, or `auto`."""

    payload: Sequence[Payload]
    fields: FieldColumns
    source: str
    split: str
    shares: SplitSettings

    def draft(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """The chunk's records, and every row that is none."""
        judged = _Judged(chunk, self.fields)
        cells = {name: judged.cells(name) for name in self.fields.columns}
        for column in sorted(self.payload, key=lambda column: column.parse_in_row is not None):
            if column.name in cells:
                others = {name: cells[name] for name in cells if name != column.name}
                cells[column.name] = judged.payload(column, cells[column.name], others)
        judged.check_split(cells.get("split"))
        weights = judged.weights(cells.get("weight"))
        kept = pa.array(~judged.bad)
        count = len(judged.bad)
        nothing = pa.nulls(count, pa.string())
        columns = {name: cells.get(name, nothing).filter(kept) for name in ("id", "split", "group", "annotator")}
        payload = [
            (cells[column.name] if column.name in cells else pa.nulls(count, column.type)).filter(kept)
            for column in self.payload
        ]
        table = self._table(judged.rows, kept, columns, payload, weights[~judged.bad])
        return table, [*chunk.rejects, *judged.rejects]

    def _table(
        self,
        rows: Rows,
        kept: pa.Array,
        columns: dict[str, pa.Array],
        payload: list[pa.Array],
        weights: NDArray[np.float32],
    ) -> pa.Table:
        groups = _emptied(columns["group"])
        ids = _emptied(columns["id"])
        count = len(ids)
        asked = [pair for pair in zip(payload, self.payload, strict=True) if pair[1].kind == "text"]
        shared = [pair for pair in asked if pair[1].shared]
        texts = [as_text(cells) for cells, _ in shared or asked]
        own = pc.if_else(pc.is_in(columns["split"], pa.array(SPLITS)), columns["split"], None)
        given = own if self.split == "auto" else pc.fill_null(own, self.split)
        nothing = pa.nulls(count, pa.string())
        arrays = [
            pc.coalesce(ids, _hashed(payload)),
            pc.coalesce(given, split_by_hash(texts, groups, self.shares)),
            _same(self.source, count),
            pa.array(rows.lines).filter(kept),
            groups,
            pa.array(weights, pa.float32()),
            _emptied(columns["annotator"]),
            _meta(rows, kept, set(self.fields.columns.values())),
            _same("raw", count),
            nothing,
            nothing,
            *payload,
            pc.is_valid(ids),
        ]
        return pa.Table.from_arrays(arrays, schema=draft_schema(self.payload))


@dataclass
class _Judged:
    """A chunk's rows while they are looked at: `bad` bool [n]; of several faults of a row the first one counts."""

    chunk: Chunk
    fields: FieldColumns
    rejects: list[Reject] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = self.chunk.rows
        self.bad = np.zeros(len(self.rows.lines), dtype=bool)

    def cells(self, name: str) -> pa.Array:
        """The field's cells; JSON's null is an absent cell."""
        column = self.fields.columns[name]
        if column not in self.rows.columns.schema.names:  # JSON lines: no row of this chunk has the key
            return pa.nulls(len(self.bad), pa.string())
        cells = self.rows.columns.column(column).combine_chunks()
        marks = self.rows.literal(column)
        if not marks.any():
            return cells
        nulls = pc.and_(pa.array(marks), pc.equal(cells, "null"))
        return pc.if_else(pc.fill_null(nulls, False), None, cells)

    def payload(self, column: Payload, cells: pa.Array, others: Mapping[str, pa.Array]) -> pa.Array:
        """The column's values; rows that have none they can use are rejected."""
        name = column.name
        absent = np.asarray(pc.is_null(cells).to_numpy(zero_copy_only=False), dtype=bool)
        if column.required:
            self.reject(absent, "FIELD_MISSING", f"the row has no {name}", f"Give it a {name}, or take the row out.")
        if column.parse is not None or column.parse_in_row is not None:
            values, reasons = parsed(cells, column) if column.parse else self._in_rows(column, cells, others)
            for row, reason in reasons.items():
                self.reject(np.arange(len(absent)) == row, "FIELD_VALUE", reason, f"Correct its {name}.")
            return values
        marks = self.rows.literal(self.fields.columns[name]) & ~absent
        if name in self.fields.numbers:
            whole = _whole_numbers(cells)
            remedy = "Write all of the file's labels the same way."
            self.reject(~marks & ~absent, "FIELD_TYPE", f"{name} is text where the file's others are numbers", remedy)
            self.reject(marks & ~whole, "FIELD_TYPE", f"{name} is no whole number of at most 18 digits", remedy)
        else:
            self.reject(marks, "FIELD_TYPE", f"{name} is a number, list, object, true or false: no text", REMEDY_TYPE)
        return cells

    def _in_rows(
        self, column: Payload, cells: pa.Array, others: Mapping[str, pa.Array]
    ) -> tuple[pa.Array, dict[int, str]]:
        """Of a row that is rejected already no more is asked."""
        return parsed_in_rows(pc.if_else(pa.array(self.bad), None, cells), column, others)

    def check_split(self, cells: pa.Array | None) -> None:
        if cells is None:
            return
        known = pc.is_in(cells, pa.array([*SPLITS, "", "auto", None], pa.string()))
        self.reject(
            ~np.asarray(known.to_numpy(zero_copy_only=False), dtype=bool),
            "SPLIT_UNKNOWN",
            "its split is none of train, validation, test (or empty: split by hash)",
            "Correct the split, or map another column to it.",
        )

    def weights(self, cells: pa.Array | None) -> NDArray[np.float32]:
        """How often the row is drawn; 1 where nothing is said."""
        if cells is None:
            return np.ones(len(self.bad), dtype=np.float32)
        values = np.array([_weight(value) for value in cells.to_pylist()], dtype=np.float32)
        self.reject(np.isnan(values), "WEIGHT", "its weight is no number of 0 or more", "Correct the weight.")
        return values

    def reject(self, where: NDArray[np.bool_], rule: str, reason: str, remedy: str) -> None:
        for number in np.flatnonzero(where & ~self.bad):
            offset = self.chunk.place(int(self.rows.offsets[number]))
            raw = shorten(json.dumps(self.rows.columns.slice(number, 1).to_pylist()[0], ensure_ascii=False))
            self.rejects.append(Reject(int(self.rows.lines[number]), offset, rule, reason, remedy, raw))
        self.bad |= where


def numbered(hashes: Sequence[bytes]) -> NDArray[np.int64]:
    """How many equal hashes stand before each, int64 [n]."""
    values = np.array(hashes, dtype="S16")
    order = np.argsort(values, kind="stable")
    first = np.ones(len(values), dtype=bool)
    first[1:] = values[order][1:] != values[order][:-1]
    place = np.arange(len(values))
    earlier = np.empty(len(values), dtype=np.int64)
    earlier[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return earlier


def _hashed(payload: Sequence[pa.Array]) -> pa.Array:
    """xxh3-128 of the payload in hexadecimal; lengths stand before the texts, so that no two payloads read alike."""
    plain = [
        pa.array(unparsed(cells.to_pylist()), pa.string()) if cells.type != pa.string() else cells for cells in payload
    ]
    parts = [part for cells in plain for part in (pc.binary_length(cells).cast(pa.string()), cells)]
    joined = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace", null_replacement="")
    digests = [xxhash.xxh3_128_hexdigest(value) for value in joined.cast(pa.binary()).to_pylist()]
    return pa.array(digests, pa.string())


def _meta(rows: Rows, kept: pa.Array, taken: set[str]) -> pa.Array:
    """The columns that no field names, as one JSON object per row."""
    names = [name for name in rows.columns.schema.names if name not in taken]
    if not names:
        return pa.nulls(int(pc.sum(kept).as_py() or 0), pa.string())
    encode = json.JSONEncoder(ensure_ascii=False).encode
    members = []
    for name in names:
        marks = rows.literal(name)
        cells = rows.columns.column(name).to_pylist()
        texts = [
            None if text is None else text if mark else encode(text) for text, mark in zip(cells, marks, strict=True)
        ]
        member = pc.binary_join_element_wise(", ", encode(name), ": ", pa.array(texts, pa.string()), "")
        members.append(pc.fill_null(member, "").filter(kept))
    joined = pc.utf8_slice_codeunits(pc.binary_join_element_wise(*members, ""), start=2)
    return pc.binary_join_element_wise("{", joined, "}", "")


def _emptied(cells: pa.Array) -> pa.Array:
    """Empty cells as nulls."""
    return pc.if_else(pc.equal(cells, ""), None, cells)


def _same(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)


def _whole_numbers(cells: pa.Array) -> NDArray[np.bool_]:
    whole = pc.match_substring_regex(cells, f"^-?[0-9]{{1,{LONGEST_NUMBER}}}$")
    return np.asarray(pc.fill_null(whole, False).to_numpy(zero_copy_only=False), dtype=bool)


def _weight(value: str | None) -> float:
    if not value:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return math.nan
    return weight if math.isfinite(weight) and weight >= 0 else math.nan
