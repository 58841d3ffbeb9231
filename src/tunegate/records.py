"""Rows: the columns that every task's tables share, and how tables are read and written.

A table of records has the columns of `ROW`, then the task's payload columns (`Payload`). Rows live in Arrow
columns and move in batches; pydantic records exist at the edges only.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunegate.errors import UserError

SET_SEPARATOR, EMPTY_SET = "; ", "nothing"
SPLITS = ("train", "validation", "test")

ROW = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),  # the raw file, relative to the project's root
        pa.field("source_line", pa.int64(), nullable=False),  # 1 is the file's first line; Parquet and XLSX: row
        pa.field("group", pa.string()),  # rows of one group stand on one side of the split
        pa.field("weight", pa.float32(), nullable=False),  # how often a training row is drawn
        pa.field("annotator", pa.string()),
        pa.field("meta", pa.string()),  # columns that no field names, as one JSON object
        pa.field("origin", pa.string(), nullable=False),  # `raw`, or the augmenter that made the row
        pa.field("parent_id", pa.string()),
        pa.field("operation", pa.string()),
    ]
)

REJECT = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("byte_offset", pa.int64()),  # where the line starts in the file; null where a format has no lines
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("remedy", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),  # the line as found, at most 2,000 characters
    ]
)

QUARANTINE = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("split", pa.string()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_line", pa.int64(), nullable=False),
        pa.field("rule", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("remedy", pa.string(), nullable=False),
        pa.field("raw", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Payload:
    """One column that a task adds to `ROW`.

    kind: `text` is part of the question; `label` is an answer of one name, `labels` one of any number of names;
    `answer` is any other answer; `beside` goes with a question and comes back with its answer, and the model does not
    read it.
    parse: for a column that is no string, a file's cell (JSON's own text where the cell is no string) to its value;
    raises ValueError with a reason that completes "its tags are ...".
    parse_in_row: the same for a column whose meaning hangs on the row's others, of which it gets the values.
    shared: several rows may be about the same value (questions about one passage); such rows stand on one side of the
    split, unless they name a group.
    """

    name: str
    kind: Literal["text", "label", "labels", "answer", "beside"]
    required: bool
    description: str
    type: pa.DataType = pa.string()
    parse: Callable[[str], Any] | None = None
    parse_in_row: Callable[[str, Mapping[str, Any]], Any] | None = None
    shared: bool = False
    may_be_left_out: bool = False  # by who asks, even where every training row has it

    @property
    def is_plain_text(self) -> bool:
        """A part of the question that is one text, which a person may write and change."""
        return self.kind == "text" and pa.types.is_string(self.type)


def question_columns(payload: Sequence[Payload]) -> list[str]:
    """The columns that a question consists of."""
    return [column.name for column in payload if column.kind == "text"]


def answer_columns(payload: Sequence[Payload]) -> list[str]:
    """The columns that hold what is right."""
    return [column.name for column in payload if column.kind in ("label", "labels", "answer")]


def label_column(payload: Sequence[Payload]) -> str | None:
    """The column with one label per record, where the task has one."""
    return next((column.name for column in payload if column.kind == "label"), None)


def label_sets_column(payload: Sequence[Payload]) -> str | None:
    """The column with any number of labels per record, where the task has one."""
    return next((column.name for column in payload if column.kind == "labels"), None)


def as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Any column as text, to be measured, compared and shown: a list of words as the sentence that it makes, other
    values as JSON; nulls stay."""
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_string(plain.type):
        return plain
    if pa.types.is_list(plain.type) and pa.types.is_string(plain.type.value_type):
        return pc.binary_join(plain, " ")
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return pa.array([None if value is None else encode(value) for value in plain.to_pylist()], pa.string())


def texts_of(records: pa.Table, payload: Sequence[Payload]) -> list[pa.Array]:
    """The question's columns as text; one that the table lacks is null."""
    return [
        as_text(records[name]) if name in records.column_names else pa.nulls(len(records), pa.string())
        for name in question_columns(payload)
    ]


def answer_of(records: pa.Table, payload: Sequence[Payload]) -> pa.Array:
    """What is right, as one text per record: the label where there is one; null where no answer is given."""
    there = [column for column in payload if column.name in records.column_names]
    columns = [
        set_as_text(records[column.name]) if column.kind == "labels" else as_text(records[column.name])
        for column in there
        if column.name in answer_columns(payload)
    ]
    if not columns:
        return pa.nulls(len(records), pa.string())
    return columns[0] if len(columns) == 1 else pc.binary_join_element_wise(*columns, " | ", null_handling="skip")


def number_column(payload: Sequence[Payload]) -> str | None:
    """The column with a number per record as its answer, where the task has one."""
    numbers = (column for column in payload if column.kind == "answer" and pa.types.is_floating(column.type))
    return next((column.name for column in numbers), None)


def told_set(labels: Sequence[str]) -> str:
    """A set of labels for tables: the names, or that there is none."""
    return SET_SEPARATOR.join(labels) or EMPTY_SET


def set_as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Sets of labels as `told_set` tells them; nulls stay."""
    plain = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pa.array([None if names is None else told_set(names) for names in plain.to_pylist()], pa.string())


def record_schema(payload: tuple[Payload, ...]) -> pa.Schema:
    """`ROW` followed by the task's payload columns."""
    schema = ROW
    for column in payload:
        schema = schema.append(pa.field(column.name, column.type, nullable=not column.required))
    return schema


def write_table(table: pa.Table, path: Path) -> None:
    """Parquet whose bytes depend on the rows alone (no times, fixed codec)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression="zstd", write_statistics=True)


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Raises UserError when the file is missing or is no Parquet file."""
    try:
        return pq.read_table(path, columns=columns, memory_map=True)
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing.", "Run the pipeline again; it makes what is missing.") from error
    except pa.ArrowInvalid as error:
        raise UserError(f"{path} is damaged: {error}.", "Delete it and run the pipeline again.") from error
