"""Spreadsheets: the first row names the columns, every cell is text as the sheet's values say it."""

import datetime
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tunegate.errors import UserError, did_you_mean
from tunegate.params import IngestSettings
from tunegate.text.readers.rows import CHUNK_ROWS, NO_OFFSET, Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

Row = tuple[int, list[str]]  # the row's number in the sheet and its cells


def read_xlsx(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The rows of the sheet that the settings name, or of the only one. Raises UserError."""
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    refuse_wrong_kind(path, source, "xlsx")
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise UserError(f"{source} is no spreadsheet that can be read: {error}.", "Save it again as .xlsx.") from error
    try:
        sheet = book[_sheet_name(book.sheetnames, settings.sheet, source)]
        yield from _chunks(_rows(sheet), source)
    finally:
        book.close()


def _sheet_name(names: list[str], wanted: str | None, source: str) -> str:
    found = ", ".join(f'"{name}"' for name in names)
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted is None:
        raise UserError(f"{source} has several sheets: {found}.", "Name one with ingest.sheet.")
    if wanted not in names:
        raise UserError(
            f'{source} has no sheet "{wanted}".{did_you_mean(wanted, names)}', f"Set ingest.sheet to one of: {found}."
        )
    return wanted


def _rows(sheet: Any) -> Iterator[Row]:
    """Rows with something in them."""
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if any(value is not None for value in values):
            yield number, [_text(value) for value in values]


def _text(value: object) -> str:
    """As a person would type it: a sheet keeps the label 3 as 3.0, and a date as a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def _chunks(rows: Iterator[Row], source: str) -> Iterator[Chunk]:
    _, header = next(rows, (0, []))
    while header and not header[-1]:
        header.pop()
    if not header:
        raise UserError(f"{source} has an empty sheet.", "Put a header and rows in it.")
    yield _chunk([], header)
    gathered: list[Row] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == CHUNK_ROWS:
            yield _chunk(gathered, header)
            gathered = []
    if gathered:
        yield _chunk(gathered, header)


def _chunk(rows: list[Row], header: list[str]) -> Chunk:
    width = len(header)
    fitting = [(number, [*cells, *[""] * width][:width]) for number, cells in rows if not any(cells[width:])]
    rejects = tuple(_reject(number, cells, width) for number, cells in rows if any(cells[width:]))
    columns = list(zip(*(cells for _, cells in fitting), strict=True)) or [()] * width
    return Chunk(
        Rows(
            table_of(header, columns),
            np.array([number for number, _ in fitting], dtype=np.int64),
            np.full(len(fitting), NO_OFFSET, dtype=np.int64),
        ),
        rejects,
    )


def _reject(number: int, cells: list[str], width: int) -> Reject:
    reason = f"a cell stands to the right of the {width} columns of the header"
    return Reject(
        number, None, "ROW_LONG", reason, "Name its column in the first row, or empty it.", shorten(str(cells))
    )
