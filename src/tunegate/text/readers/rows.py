"""What a reader hands over: rows as they stand in the file, and the rows that it could not read.

Nothing here knows a field of ours: columns bear the names that the file gives them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tunegate.records import REJECT

RAW_CHARACTERS = 2_000  # of a rejected row are kept: enough to find it again
CHUNK_ROWS = 20_000  # rows that a reader without blocks of its own hands over at once
NO_OFFSET = -1  # the format has no bytes per row (Parquet, XLSX)


class Reject(NamedTuple):
    """A row that cannot be read, and what to do about it."""

    source_line: int
    byte_offset: int | None
    rule: str
    reason: str
    remedy: str
    raw: str
    source: str = ""  # where it is another file than the one that is read


@dataclass(frozen=True)
class Rows:
    """`lines` int64 [n], the first line of each row; `offsets` int64 [n], where it starts in the bytes that were
    read (`Chunk.place` knows where that is on disk) or NO_OFFSET.

    `literals` marks per column, bool [n], the cells that the file does not give as text (a JSON number, null, list):
    the column then holds the JSON literal.
    """

    columns: pa.Table  # every column a string; null where the row has no such cell
    lines: NDArray[np.int64]
    offsets: NDArray[np.int64]
    literals: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.columns.num_rows == len(self.lines) == len(self.offsets):
            raise ValueError("every row needs its line and its offset")

    def literal(self, column: str) -> NDArray[np.bool_]:
        """Where the column's cells are literals, bool [n]."""
        marks = self.literals.get(column)
        return np.zeros(len(self.lines), dtype=bool) if marks is None else marks


@dataclass(frozen=True)
class Chunk:
    """Some of a file's rows, in its order. `split` is what the folder's own description says of this file.

    `place` gives a row's offset in the file as it lies on disk; it can be asked until the next chunk is read.
    """

    rows: Rows
    rejects: tuple[Reject, ...] = ()
    split: str | None = None
    place: Callable[[int], int | None] = lambda offset: None if offset == NO_OFFSET else offset


def table_of(names: Sequence[str], cells: Sequence[Sequence[str | None]]) -> pa.Table:
    """A table of strings from cells by column, duplicate names allowed."""
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in cells], names=list(names))


def shorten(raw: str | bytes) -> str:
    """The row as found, at most RAW_CHARACTERS; bytes that are no UTF-8 show as `\\xff`."""
    text = raw[: 4 * RAW_CHARACTERS].decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
    return text.encode("utf-8", "backslashreplace").decode()[:RAW_CHARACTERS]


def reject_table(rejects: Sequence[Reject], source: str) -> pa.Table:
    """The rejects of one file as a table of `records.REJECT`."""
    rows = [{**reject._asdict(), "source": reject.source or source} for reject in rejects]
    return pa.Table.from_pylist(rows, schema=REJECT)
