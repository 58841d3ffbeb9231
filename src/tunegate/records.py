"""Rows: the columns that every task's tables share, and how tables are read and written.

A table of records has the columns of `ROW`, then the task's payload columns (`Payload`). Rows live in Arrow
columns and move in batches; pydantic records exist at the edges only.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tunegate.errors import UserError

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
    """One column that a task adds to `ROW`."""

    name: str
    kind: Literal["text", "label"]
    required: bool
    description: str
    type: pa.DataType = pa.string()


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
