"""Plain text: documents with blank lines between them (`documents`), or a row per line (`lines`). One column, `text`.

A document keeps its lines. Only a person says that a file is plain text: what ends in `.txt` in a data folder may be
a note.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tunegate.errors import UserError
from tunegate.params import IngestSettings
from tunegate.text.readers.encodings import View, decoded, encoding_remedy, utf8_view
from tunegate.text.readers.rows import CHUNK_ROWS, Chunk, Reject, Rows, shorten, table_of
from tunegate.text.readers.sniff import refuse_wrong_kind

ENDINGS = (".txt", ".text")
LOOKED_AT = 1 << 18  # bytes that tell whether blank lines stand between documents


@dataclass
class _Row:
    """Its lines, with the place of the first."""

    line: int
    offset: int
    lines: list[bytes] = field(default_factory=list)


def read_plain(path: Path, source: str, form: str, settings: IngestSettings) -> Iterator[Chunk]:
    """The file's rows in its order. Raises UserError when the file as a whole cannot be read."""
    refuse_wrong_kind(path, source, form, settings.encoding)
    with utf8_view(path, settings.encoding) as view:
        waiting: list[_Row] = []
        found = 0
        for row in _rows(view, by_line=form == "lines"):
            found += 1
            waiting.append(row)
            if len(waiting) == CHUNK_ROWS:
                yield _chunk(waiting, view, settings.encoding)
                waiting = []
        if not found:
            raise UserError(f"{source} holds no text.", "Put the texts in it, or leave the file out of ingest.files.")
        yield _chunk(waiting, view, settings.encoding)


def plain_form(paths: Sequence[Path]) -> str | None:
    """`documents` or `lines` for files that are all named as plain text, by whether a blank line stands between two
    others; None for other files."""
    if not paths or not all(path.suffix.lower() in ENDINGS for path in paths):
        return None
    heads = [_head(path).strip().splitlines() for path in paths]
    return "documents" if any(not line.strip() for head in heads for line in head) else "lines"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LOOKED_AT)


def _rows(view: View, *, by_line: bool) -> Iterator[_Row]:
    row: _Row | None = None
    for number, (offset, line) in enumerate(view.lines(), start=1):
        if line.strip():
            row = row or _Row(number, offset)
            row.lines.append(line.strip())
        if row is not None and (by_line or not line.strip()):
            yield row
            row = None
    if row is not None:
        yield row


def _chunk(rows: Sequence[_Row], view: View, encoding: str) -> Chunk:
    texts = [decoded(b"\n".join(row.lines)) for row in rows]
    kept = [(row, text) for row, text in zip(rows, texts, strict=True) if text is not None]
    rejects = [_reject(row, view, encoding) for row, text in zip(rows, texts, strict=True) if text is None]
    table = table_of(["text"], [[text for _, text in kept]])
    lines, offsets = ([getattr(row, name) for row, _ in kept] for name in ("line", "offset"))
    found = Rows(table, np.array(lines, dtype=np.int64), np.array(offsets, dtype=np.int64))
    return Chunk(found, tuple(rejects), place=view.original_offset)


def _reject(row: _Row, view: View, encoding: str) -> Reject:
    raw = b"\n".join(row.lines)
    reason = "it is no text in the declared encoding"
    return Reject(
        row.line, view.original_offset(row.offset), "ENC_INVALID", reason, encoding_remedy(raw, encoding), shorten(raw)
    )
