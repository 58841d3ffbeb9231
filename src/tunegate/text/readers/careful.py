"""Reads delimited rows one by one where something is wrong with them, and says of each bad one what it is.

A row that cannot be read costs one line: reading goes on with the line after it. Lines end with \\n, \\r\\n or \\r.
"""

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

QUOTE = b'"'
LINE_ENDS = (b"\n", b"\r")


class Fault(NamedTuple):
    """Why a row cannot be read. The remedy may wait for more of the file (which encoding would fit)."""

    rule: str
    reason: str
    remedy: str | None


class Row(NamedTuple):
    """Bytes `start` to `end` (without the line end); the next row starts at `after`, `breaks` line ends later."""

    start: int
    end: int
    after: int
    breaks: int
    cells: list[str]
    fault: Fault | None


@dataclass(frozen=True)
class Layout:
    """How cells stand in a row. `width` is the number of columns, or None while the header itself is read."""

    delimiter: bytes
    quoting: bool
    width: int | None


class _QuoteFault(Exception):
    """The quotes of a row do not fit together."""


class Places:
    """Where a byte string stands next, remembering the last answer so that a long stretch is searched once."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self.data = data
        self.known: dict[bytes, tuple[int, int]] = {}

    def next(self, what: bytes, start: int) -> int:
        """The place of the first `what` at or after `start`; the data's length where there is none."""
        asked, found = self.known.get(what, (1, 0))
        if not asked <= start <= found:
            place = self.data.find(what, start)
            found = place if place >= 0 else len(self.data)
            self.known[what] = (start, found)
        return found


def careful_rows(data: mmap.mmap | bytes, start: int, stop: int, layout: Layout) -> Iterator[Row]:
    """The rows that start before `stop`, blank lines included (as rows without cells and without a fault)."""
    places = Places(data)
    while start < min(stop, len(data)):
        row = _next_row(places, start, layout)
        yield row
        start = row.after


def _next_row(places: Places, start: int, layout: Layout) -> Row:
    data = places.data
    end = _line_end(places, start)
    line = Row(start, end, _after(data, end), 1, [], None)
    if start == end:
        return line
    if not (layout.quoting and places.next(QUOTE, start) < end):
        return _checked(line, data[start:end].split(layout.delimiter), data[start:end], layout)
    try:
        cells, end = _quoted_cells(places, start, layout.delimiter)
    except _QuoteFault as fault:
        return line._replace(fault=_quote_fault(str(fault), layout.delimiter))
    after = _after(data, end)
    breaks = _count_line_ends(data[start:after])
    return _checked(Row(start, end, after, max(breaks, 1), [], None), cells, data[start:end], layout)


def _quote_fault(reason: str, delimiter: bytes) -> Fault:
    remedy = "Close it, and double quotes inside a quoted cell; if quotes mean nothing here, set ingest.quoting: false."
    return Fault("QUOTE", reason, remedy)


def _checked(row: Row, cells: Sequence[bytes], raw: bytes, layout: Layout) -> Row:
    try:
        texts = [cell.decode() for cell in cells]
    except UnicodeDecodeError:
        place = row.start + _first_bad_byte(raw)
        return row._replace(fault=Fault("ENC_INVALID", f"byte {place:,} is no text in the declared encoding", None))
    if b"\0" in raw:
        remedy = "Take the zero byte out; if the file is UTF-16, declare it with ingest.encoding."
        return row._replace(fault=Fault("NUL", "a zero byte stands in the row", remedy))
    if layout.width is not None and len(texts) != layout.width:
        return row._replace(fault=_width_fault(len(texts), layout))
    return row._replace(cells=texts)


def _first_bad_byte(raw: bytes) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _width_fault(found: int, layout: Layout) -> Fault:
    if found < (layout.width or 0):
        return Fault(
            "ROW_SHORT",
            f"{found} of {layout.width} columns",
            "Add the missing cells (or close the quote that swallowed them).",
        )
    delimiter = layout.delimiter.decode()
    remedy = f"Put double quotes around cells that hold {delimiter!r}." if layout.quoting else "Take them out."
    return Fault("ROW_LONG", f"{found} columns where the header has {layout.width}", remedy)


def _quoted_cells(places: Places, start: int, delimiter: bytes) -> tuple[list[bytes], int]:
    """The cells, and where the row ends. Raises _QuoteFault."""
    data, cells, at = places.data, [], start
    while True:
        if data[at : at + 1] == QUOTE:
            cell, at = _inside_quotes(places, at + 1, delimiter)
        else:
            stop = min(places.next(delimiter, at), _line_end(places, at))
            cell, at = data[at:stop], stop
        cells.append(cell)
        if data[at : at + 1] != delimiter:
            return cells, at
        at += 1


def _inside_quotes(places: Places, start: int, delimiter: bytes) -> tuple[bytes, int]:
    """The cell whose opening quote stands before `start`, and the place after its closing quote."""
    data, at = places.data, start
    while True:
        quote = places.next(QUOTE, at)
        if quote == len(data):
            raise _QuoteFault("a quote is opened and never closed")
        follows = data[quote + 1 : quote + 2]
        if follows == QUOTE:
            at = quote + 2
        elif follows in (b"", delimiter, *LINE_ENDS):
            return data[start:quote].replace(b'""', b'"'), quote + 1
        else:
            raise _QuoteFault("a quote is not closed, or a single quote stands inside a quoted cell")


def _line_end(places: Places, start: int) -> int:
    return min(places.next(end, start) for end in LINE_ENDS)


def _after(data: mmap.mmap | bytes, end: int) -> int:
    """The start of the line after a line that ends at `end`."""
    return min(end + (2 if data[end : end + 2] == b"\r\n" else 1), len(data))


def _count_line_ends(raw: bytes) -> int:
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
