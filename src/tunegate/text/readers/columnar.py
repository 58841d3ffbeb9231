"""Parquet and Arrow files: typed columns as text, with what is no text marked.

Whole numbers with names (`ClassLabel` of Hugging Face `datasets`) become those names.
"""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.ipc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.rows import CHUNK_ROWS, NO_OFFSET, Chunk, Reject, Rows, shorten
from tunegate.text.readers.sniff import refuse_wrong_kind

Names = dict[str, list[str]]  # column to its classes' names


def read_parquet(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's rows in its order. Raises UserError when it is damaged."""
    refuse_wrong_kind(path, source, "parquet")
    with _explained(source):
        file = pq.ParquetFile(path)
        names = class_names(file.schema_arrow)
        yield from _chunks(file.schema_arrow, file.iter_batches(CHUNK_ROWS), names)


def read_arrow(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """An Arrow file or stream, as `datasets.save_to_disk` writes it. Raises UserError when it is damaged."""
    with _explained(source), pa.memory_map(str(path)) as file:
        if file.size() == 0:
            raise UserError(f"{source} is empty.", "Make the file again.")
        is_file = file.read(6) == b"ARROW1"
        file.seek(0)
        batches: Any
        if is_file:
            reader = pyarrow.ipc.open_file(file)
            batches = (reader.get_batch(number) for number in range(reader.num_record_batches))
        else:
            batches = reader = pyarrow.ipc.open_stream(file)
        yield from _chunks(reader.schema, batches, class_names(reader.schema))


@contextmanager
def _explained(source: str) -> Iterator[None]:
    """Turns Arrow's errors for damaged files into a sentence."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise UserError(f"{source} is damaged: {first}.", "Make or fetch the file again.") from error


def class_names(schema: pa.Schema) -> Names:
    """Names of the classes by column, from the description that `datasets` keeps in a schema."""
    described = (schema.metadata or {}).get(b"huggingface")
    if not described:
        return {}
    features = json.loads(described).get("info", {}).get("features", {})
    return {
        column: list(feature["names"])
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
    }


def _chunks(schema: pa.Schema, batches: Iterator[pa.RecordBatch], names: Names) -> Iterator[Chunk]:
    yield _chunk(pa.RecordBatch.from_pylist([], schema=schema), 1, names)
    row = 1
    for batch in batches:
        for start in range(0, len(batch), CHUNK_ROWS):
            part = batch.slice(start, CHUNK_ROWS)
            yield _chunk(part, row, names)
            row += len(part)


def _chunk(batch: pa.RecordBatch, row: int, names: Names) -> Chunk:
    lines = np.arange(row, row + len(batch), dtype=np.int64)
    bad = _undecodable(batch)
    kept = batch.filter(pa.array(~bad)) if bad.any() else batch
    columns, literals = [], {}
    for field, column in zip(kept.schema, kept.columns, strict=True):
        texts, marks = _as_text(column, names.get(field.name))
        columns.append(texts)
        literals[field.name] = marks
    rows = Rows(
        pa.Table.from_arrays(columns, names=kept.schema.names),
        lines[~bad],
        np.full(len(kept), NO_OFFSET, dtype=np.int64),
        literals,
    )
    return Chunk(rows, tuple(_reject(int(line)) for line in lines[bad]))


def _reject(row: int) -> Reject:
    return Reject(row, None, "ENC_INVALID", "a text of the row is no UTF-8", "Write the file again.", shorten(""))


def _undecodable(batch: pa.RecordBatch) -> NDArray[np.bool_]:
    """Rows with a string that is no UTF-8, which Arrow does not look at while it reads."""
    bad = np.zeros(len(batch), dtype=bool)
    for column in batch.columns:
        if not _is_text(column.type):
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            bad |= np.array([not _is_utf8(value) for value in column.cast(pa.large_binary()).to_pylist()], dtype=bool)
    return bad


def _is_utf8(value: bytes | None) -> bool:
    try:
        (value or b"").decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_text(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _as_text(column: pa.Array, names: Sequence[str] | None) -> tuple[pa.Array, NDArray[np.bool_]]:
    """The column as text, and where a cell is the JSON literal of something else."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if names is not None and pa.types.is_integer(column.type):
        return _named(column, names), np.zeros(len(column), dtype=bool)
    if _is_text(column.type):
        nulls = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
        return pc.fill_null(column.cast(pa.string()), "null"), nulls
    if pa.types.is_integer(column.type):
        return pc.fill_null(column.cast(pa.string()), "null"), np.ones(len(column), dtype=bool)
    literals = [json.dumps(_plain(value), ensure_ascii=False) for value in column.to_pylist()]
    return pa.array(literals, pa.string()), np.ones(len(column), dtype=bool)


def _named(column: pa.Array, names: Sequence[str]) -> pa.Array:
    """Class numbers as names; a number without a name (-1: unlabelled) is absent."""
    known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
    return pa.array(names, pa.string()).take(pc.if_else(known, column, pa.scalar(None, column.type)))


def _plain(value: Any) -> Any:
    """Values that JSON knows; bytes (images, audio) and nan are left out, the rest is as Python writes it."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, bool | int | float | str | type(None)) else str(value)
