"""Reads whole blocks of delimited rows at once, where numpy sees that nothing is wrong with them.

A block is regular when it is UTF-8 without zero bytes, its line ends are \\n or \\r\\n, every quote opens at the start
of a cell and closes at its end, and every row has the header's number of columns. Such a block pyarrow reads exactly
as it stands; any other goes to the careful reader.
"""

import io
import mmap
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from tunegate.text.readers.careful import Layout
from tunegate.text.readers.rows import Rows

BLOCK = 4 << 20  # bytes: large enough for vectors to pay, small enough for memory to stay flat
LARGEST = 64 << 20  # a row that is larger goes to the careful reader
NEWLINE, RETURN, QUOTE = b'\n\r"'

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """Rows read at once; the next row starts at byte `after`, on the line `breaks` further down."""

    rows: Rows
    after: int
    breaks: int


def regular_block(data: mmap.mmap | bytes, start: int, line: int, layout: Layout, names: list[str]) -> Block | None:
    """The rows from `start` (on that line) on, or None where something is wrong with them."""
    block = _whole_rows(data, start, layout.quoting)
    if block is None or b"\0" in block or block.count(b"\r") != block.count(b"\r\n") or not _is_utf8(block):
        return None
    array = np.frombuffer(block, dtype=np.uint8)
    quotes = _positions(array, QUOTE) if layout.quoting else np.empty(0, dtype=np.int64)
    if not _quotes_fit(array, quotes, layout.delimiter[0]):
        return None
    breaks = _positions(array, NEWLINE)
    starts, ends = _row_bounds(array, breaks, quotes)
    delimiters = _outside(_positions(array, layout.delimiter[0]), quotes)
    widths = np.searchsorted(delimiters, ends) - np.searchsorted(delimiters, starts) + 1
    if not (widths == layout.width).all():
        return None
    columns = _parse(block, layout, names)
    if columns is None or columns.num_rows != len(starts):
        return None
    rows = Rows(columns, line + np.searchsorted(breaks, starts).astype(np.int64), starts + start)
    return Block(rows, start + len(block), len(breaks))


def _whole_rows(data: mmap.mmap | bytes, start: int, quoting: bool) -> bytes | None:
    """About BLOCK bytes that end with a row's end; more where a single cell is larger than that."""
    size = BLOCK
    while size <= LARGEST:
        window = bytes(data[start : start + size])
        if start + len(window) >= len(data):
            return window
        if end := _last_row_end(window, quoting):
            return window[:end]
        size *= 2
    return None


def _last_row_end(window: bytes, quoting: bool) -> int:
    """After the last line end that no quotes enclose, looked for in the window's second half; 0 where none is."""
    half = len(window) // 2
    open_quote = quoting and window.count(b'"') % 2 == 1
    after, end = len(window), window.rfind(b"\n", half)
    while end >= 0:
        open_quote ^= quoting and window.count(b'"', end, after) % 2 == 1
        if not open_quote:
            return end + 1
        after, end = end, window.rfind(b"\n", half, end)
    return 0


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _positions(array: NDArray[np.uint8], byte: int) -> Places:
    return np.flatnonzero(array == byte)


def _outside(places: Places, quotes: Places) -> Places:
    """The places that no pair of quotes encloses."""
    return places[np.searchsorted(quotes, places) % 2 == 0] if len(quotes) else places


def _quotes_fit(array: NDArray[np.uint8], quotes: Places, delimiter: int) -> bool:
    """Every quote opens after a delimiter or line end and closes before one, or stands twice for itself."""
    if len(quotes) % 2:
        return False
    opens, closes = quotes[0::2], quotes[1::2]
    before = np.where(opens > 0, array[opens - 1], NEWLINE)
    after = np.where(closes + 1 < len(array), array[np.minimum(closes + 1, len(array) - 1)], NEWLINE)
    doubled = opens[1:] == closes[:-1] + 1
    opened = (before == delimiter) | (before == NEWLINE)
    closed = (after == delimiter) | (after == NEWLINE) | (after == RETURN)
    opened[1:] |= doubled
    closed[:-1] |= doubled
    return bool(opened.all() and closed.all())


def _row_bounds(array: NDArray[np.uint8], breaks: Places, quotes: Places) -> tuple[Places, Places]:
    """First byte and line end of every row; blank lines are no rows."""
    ends = _outside(breaks, quotes)
    if len(array) and array[-1] != NEWLINE:
        ends = np.append(ends, len(array))
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    content = ends - starts
    content -= (content > 0) & (array[np.maximum(ends - 1, 0)] == RETURN)
    return starts[content > 0], ends[content > 0]


def _parse(block: bytes, layout: Layout, names: list[str]) -> pa.Table | None:
    """Every column as text: no null strings, no dates, no numbers."""
    keys = [str(number) for number in range(len(names))]  # names may occur twice or be empty
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(block),
            read_options=pyarrow.csv.ReadOptions(column_names=keys, block_size=len(block) + 1),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=layout.delimiter.decode(),
                quote_char='"' if layout.quoting else False,
                newlines_in_values=layout.quoting,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(keys, pa.string()),
                null_values=[],
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table.rename_columns(names)
