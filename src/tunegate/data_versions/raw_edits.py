"""Single rows of raw files taken out or rewritten, in the file's own format; every other byte of a text file stays.

A row is named by the line that reading gives it (`source_line`: a line, or a row of a Parquet file or spreadsheet).
"""

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers import RawFile
from tunegate.text.readers.careful import Layout, careful_rows
from tunegate.text.readers.delimited import DELIMITERS
from tunegate.text.readers.encodings import utf8_view
from tunegate.workspace import write_atomically

Cells = Mapping[str, str]
Edits = Mapping[int, Cells | None]
"""Line to the row's new cells by column (the others stay), or None to take the row out."""


MARKS = {
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def columns_of(file: RawFile, settings: IngestSettings) -> list[str]:
    """The file's columns, as far as its first rows show them."""
    for chunk in file.read(settings):
        if chunk.rows.columns.num_columns:
            return list(chunk.rows.columns.schema.names)
    return []


def edit_file(file: RawFile, settings: IngestSettings, edits: Edits) -> None:
    """Write the file anew. Raises UserError where a line is not there or a cell cannot be written in its format."""
    if not edits:
        return
    content, missing = _WRITERS[file.form](file, settings, edits)
    if missing:
        lines = ", ".join(map(str, sorted(missing)[:5]))
        raise UserError(
            f"{file.source} has no row at line {lines}.", "The file has changed since; begin again with it."
        )
    write_atomically(file.path, content)


def _delimited(file: RawFile, settings: IngestSettings, edits: Edits) -> tuple[bytes, set[int]]:
    delimiter = settings.delimiter or DELIMITERS[file.form]
    missing, out = set(edits), io.BytesIO()
    with utf8_view(file.path, settings.encoding) as view:
        data, line, start, width = view.data, 1, view.start, None
        out.write(data[:start])
        names: list[str] = []
        for row in _rows(data, start, delimiter, settings.quoting):
            raw = bytes(data[row.start : row.after])
            if width is None and row.cells:
                names, width = row.cells, len(row.cells)
            elif line in edits:
                missing.discard(line)
                old = [] if row.fault else row.cells
                raw = _written(old, names, edits[line], (delimiter, settings.quoting), data[row.end : row.after])
            out.write(raw)
            line += row.breaks
        return _encoded(out.getvalue(), view.encoding, file.path), missing


def _rows(data: Any, start: int, delimiter: str, quoting: bool) -> Iterable[Any]:
    """The header first, then rows of its width."""
    width: int | None = None
    while start < len(data):
        row = next(iter(careful_rows(data, start, len(data), Layout(delimiter.encode(), quoting, width))))
        yield row
        start = row.after
        if width is None and row.cells:
            width = len(row.cells)
            yield from careful_rows(data, start, len(data), Layout(delimiter.encode(), quoting, width))
            return


def _written(
    old: Sequence[str], names: Sequence[str], cells: Cells | None, layout: tuple[str, bool], end: bytes
) -> bytes:
    delimiter, quoting = layout
    if cells is None:
        return b""
    row = {**dict(zip(names, [*old, *[""] * len(names)], strict=False)), **cells}
    values = [row[name] for name in names]
    if not quoting and any(mark in value for value in values for mark in (delimiter, "\n", "\r")):
        raise UserError(
            f"A cell holds {delimiter!r} or a line end, and the file is read without quotes.",
            "Take it out of the cell, or set ingest.quoting.",
        )
    text = io.StringIO()
    how: Literal[0, 3] = csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE
    csv.writer(
        text, delimiter=delimiter, quoting=how, quotechar='"' if quoting else None, lineterminator="\r\n"
    ).writerow(values)
    return text.getvalue().removesuffix("\r\n").encode() + (bytes(end) or b"\n")


def _encoded(content: bytes, encoding: str, path: Path) -> bytes:
    """UTF-8 back to the file's own encoding, with a byte order mark where it has one."""
    if encoding in ("utf-8", "utf-8-sig", "ascii"):
        return content
    with path.open("rb") as file:
        start = file.read(4)
    mark = MARKS.get(encoding, b"")
    try:
        return (mark if mark and start.startswith(mark) else b"") + content.decode("utf-8").encode(encoding)
    except UnicodeEncodeError as error:
        raise UserError(
            f"{error.object[error.start : error.end]!r} cannot be written in {encoding}.",
            "Save the raw files as UTF-8 first, and set ingest.encoding to it.",
        ) from error


def _json_lines(file: RawFile, settings: IngestSettings, edits: Edits) -> tuple[bytes, set[int]]:
    missing, out = set(edits), io.BytesIO()
    with utf8_view(file.path, settings.encoding) as view:
        out.write(view.data[: view.start])
        content = bytes(view.data[view.start :])
        encoding = view.encoding
    for line, raw in enumerate(content.splitlines(keepends=True) if b"\r" not in content else _kept(content), start=1):
        if line not in edits:
            out.write(raw)
            continue
        missing.discard(line)
        cells = edits[line]
        if cells is not None:
            end = b"\n" if raw.endswith(b"\n") else b""
            out.write(json.dumps(_object(raw, cells), ensure_ascii=False).encode() + end)
    return _encoded(out.getvalue(), encoding, file.path), missing


def _kept(content: bytes) -> list[bytes]:
    """Lines that only \\n ends, with their ends."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _object(raw: bytes, cells: Cells) -> dict[str, Any]:
    """The line's object with its new members; a whole number stays one."""
    try:
        old = json.loads(raw)
    except ValueError:
        old = {}
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in cells.items():
        number = isinstance(new.get(name), int) and not isinstance(new.get(name), bool)
        new[name] = int(value) if number and value.lstrip("-").isdigit() else value
    return new


def _parquet(file: RawFile, settings: IngestSettings, edits: Edits) -> tuple[bytes, set[int]]:
    table, missing = _with_cells(pq.read_table(file.path), edits, file.source)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue().to_pybytes(), missing


def _arrow(file: RawFile, settings: IngestSettings, edits: Edits) -> tuple[bytes, set[int]]:
    with pa.memory_map(str(file.path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        table, missing = _with_cells(reader.read_all(), edits, file.source)
        sink = pa.BufferOutputStream()
        open_writer = pa.ipc.new_file if is_file else pa.ipc.new_stream
        with open_writer(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue().to_pybytes(), missing


def _with_cells(table: pa.Table, edits: Edits, source: str) -> tuple[pa.Table, set[int]]:
    missing = {line for line in edits if not 1 <= line <= len(table)}
    present = {line: cells for line, cells in edits.items() if line not in missing}
    for name in sorted({name for cells in present.values() for name in cells or ()}):
        if name not in table.column_names:
            raise UserError(f"{source} has no column {name!r}.", "Give the rows in the file's own columns.")
        places = sorted(line for line, cells in present.items() if cells and name in cells)
        wanted = [(present[line] or {})[name] for line in places]
        column = table[name].combine_chunks()
        try:
            values = pa.array(wanted, pa.string()).cast(column.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UserError(
                f"{source}: {wanted[0]!r} cannot stand in the column {name!r} ({column.type}).",
                "Give a value of the column's own kind.",
            ) from error
        mask = pc.is_in(pa.array(range(1, len(table) + 1)), pa.array(places, pa.int64()))
        table = table.set_column(
            table.column_names.index(name), table.schema.field(name), pc.replace_with_mask(column, mask, values)
        )
    gone = [line for line, cells in present.items() if cells is None]
    stays = pc.invert(pc.is_in(pa.array(range(1, len(table) + 1)), pa.array(gone, pa.int64())))
    return table.filter(stays), missing


def _xlsx(file: RawFile, settings: IngestSettings, edits: Edits) -> tuple[bytes, set[int]]:
    from openpyxl import load_workbook

    book = load_workbook(file.path)
    sheet: Any = book[settings.sheet] if settings.sheet else book.active
    header = next(row for row in sheet.iter_rows() if any(cell.value is not None for cell in row))
    places = {str(cell.value): cell.column for cell in header if cell.value is not None}
    missing = {line for line in edits if not header[0].row < line <= sheet.max_row}
    for line in sorted(set(edits) - missing, reverse=True):  # from below, so that the lines above keep their numbers
        cells = edits[line]
        if cells is None:
            sheet.delete_rows(line)
        for name, value in (cells or {}).items():
            sheet.cell(line, places[name]).value = value
            sheet.cell(line, places[name]).data_type = "s"  # text, also where it starts with "="
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue(), missing


_WRITERS: dict[str, Callable[[RawFile, IngestSettings, Edits], tuple[bytes, set[int]]]] = {
    "csv": _delimited,
    "tsv": _delimited,
    "jsonl": _json_lines,
    "parquet": _parquet,
    "arrow": _arrow,
    "xlsx": _xlsx,
}
