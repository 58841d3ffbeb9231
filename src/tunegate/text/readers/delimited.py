"""CSV and TSV files: blocks at once where they are regular, row by row where they are not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.blocks import BLOCK, regular_block
from tunegate.text.readers.careful import Layout, Row, careful_rows
from tunegate.text.readers.encodings import SAMPLE, View, encoding_remedy, utf8_view
from tunegate.text.readers.rows import Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

DELIMITERS = {"csv": ",", "tsv": "\t"}
IS_UTF8 = ("utf-8", "utf-8-sig", "ascii")
MERGE_MARKS = ("<<<<<<< ", ">>>>>>> ")


def read_delimited(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's rows in its order. Raises UserError when the file as a whole cannot be read."""
    refuse_wrong_kind(path, source, form, settings.encoding)
    with utf8_view(path, settings.encoding) as view:
        file = _File(path, view, source, _delimiter(form, settings), settings.quoting, settings.encoding)
        names, start, line = file.header()
        yield from file.chunks(names, start, line)


def _delimiter(form: str, settings: IngestSettings) -> bytes:
    delimiter = (settings.delimiter or DELIMITERS[form]).encode()
    if len(delimiter) != 1 or delimiter in b'"\n\r\0':
        raise UserError(
            f"ingest.delimiter {settings.delimiter!r} cannot stand between columns.",
            "Use one ASCII character that is no quote and no line end.",
        )
    return delimiter


@dataclass
class _File:
    """One file while it is read; `undecodable` collects what a suggestion of an encoding is made from."""

    path: Path
    view: View
    source: str
    delimiter: bytes
    quoting: bool
    encoding: str
    undecodable: bytearray = field(default_factory=bytearray)
    read: int = 0
    rejected: int = 0
    undecodable_rows: int = 0
    first: str = ""  # where the first undecodable row is

    def header(self) -> tuple[list[str], int, int]:
        """The columns' names, and the byte and the line after them."""
        line = 1
        layout = Layout(self.delimiter, self.quoting, None)
        for row in careful_rows(self.view.data, self.view.start, len(self.view.data), layout):
            if row.fault and row.fault.rule == "ENC_INVALID":
                raise self._wrong_encoding("its header cannot")
            if row.fault:
                raise UserError(
                    f"{self.source}:{line}: the header cannot be read: {row.fault.reason}.", row.fault.remedy or ""
                )
            if row.cells:
                return row.cells, row.after, line + row.breaks
            line += row.breaks
        raise UserError(f"{self.source} holds blank lines only.", "Put a header and rows in it.")

    def chunks(self, names: list[str], start: int, line: int) -> Iterator[Chunk]:
        layout = Layout(self.delimiter, self.quoting, len(names))
        yield Chunk(Rows(table_of(names, [[]] * len(names)), _numbers([]), _numbers([])))  # the header alone
        while start < len(self.view.data):
            block = regular_block(self.view.data, start, line, layout, names)
            if block:
                self.read += len(block.rows.lines)
                yield Chunk(block.rows, place=self.view.original_offset)
                start, line = block.after, line + block.breaks
            else:
                chunk, start, line = self._carefully(start, line, layout, names)
                yield chunk
        if self.undecodable_rows and not self.read and self.undecodable_rows == self.rejected:
            raise self._wrong_encoding(f"none of its {self.rejected:,} rows (first: {self.first}) can")

    def _carefully(self, start: int, line: int, layout: Layout, names: list[str]) -> tuple[Chunk, int, int]:
        rows: list[tuple[int, Row]] = []
        bad: list[tuple[int, Row]] = []
        for row in careful_rows(self.view.data, start, start + BLOCK, layout):
            if row.fault:
                bad.append((line, row))
            elif row.cells:
                rows.append((line, row))
            start, line = row.after, line + row.breaks
        rejects = self._rejects(bad)
        cells = list(zip(*(row.cells for _, row in rows), strict=True)) or [()] * len(names)
        kept = Rows(
            table_of(names, cells), _numbers([number for number, _ in rows]), _numbers([row.start for _, row in rows])
        )
        self.read += len(rows)
        return Chunk(kept, rejects, place=self.view.original_offset), start, line

    def _rejects(self, bad: list[tuple[int, Row]]) -> tuple[Reject, ...]:
        raws = [bytes(self.view.data[row.start : row.end]) for _, row in bad]
        self._refuse_merge_marks([line for line, _ in bad], raws)
        for (line, row), raw in zip(bad, raws, strict=True):
            if row.fault and row.fault.rule == "ENC_INVALID":
                self.first = self.first or f"line {line}, {row.fault.reason.split(' is ')[0]}"
                self.undecodable_rows += 1
                self.undecodable += raw[: max(0, SAMPLE - len(self.undecodable))] + b"\n"
        remedy = self._remedy() if self.undecodable else ""
        self.rejected += len(bad)
        return tuple(
            Reject(
                line,
                self.view.original_offset(row.start),
                row.fault.rule,
                row.fault.reason,
                row.fault.remedy or remedy,
                shorten(raw),
            )
            for (line, row), raw in zip(bad, raws, strict=True)
            if row.fault
        )

    def _refuse_merge_marks(self, lines: list[int], raws: list[bytes]) -> None:
        marks = [line for line, raw in zip(lines, raws, strict=True) if raw.decode("latin-1").startswith(MERGE_MARKS)]
        if marks:
            raise UserError(
                f"{self.source}:{marks[0]} is a mark of an unfinished git merge: both sides stand in the file.",
                "Finish the merge, and take the marks out.",
            )

    def _remedy(self) -> str:
        if self.view.encoding in IS_UTF8:
            return encoding_remedy(bytes(self.undecodable), self.encoding)
        return f"Mend the bytes, or declare the file's encoding with ingest.encoding (now {self.encoding})."

    def _wrong_encoding(self, what: str) -> UserError:
        with self.path.open("rb") as file:
            remedy = encoding_remedy(file.read(SAMPLE), self.encoding)
        return UserError(f"{self.source} is not {self.encoding.upper()}: {what} be decoded.", remedy)


def _numbers(values: list[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
