"""Answers in a file of their own, a line `id,answer` each and no header: joined to their rows by the id."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tunegate.errors import UserError
from tunegate.text.readers.rows import NO_OFFSET, Chunk, Reject, Rows, shorten

KEY, ANSWER = "id", "answer"
NO_ANSWER, NO_ROW, TWICE, LINE = "ANSWER_MISSING", "ANSWER_ALONE", "ANSWER_TWICE", "ANSWER_LINE"


@dataclass(frozen=True)
class AnswerFile:
    """`source` is its name for people, `rows` the name of the file with the rows, within the data's folder."""

    path: Path
    source: str
    rows: str


def with_answers(chunks: Iterator[Chunk], file: AnswerFile, encoding: str) -> Iterator[Chunk]:
    """The chunks with the column `answer`; every line of the answers' file is a row's answer or a reject of that file.

    Ids count anew in each file of rows, so they become `<its name>:<id>`. Raises UserError for a file that is not
    there, for rows without the column `id`, and where no row has an answer.
    """
    answers = _read(file, encoding)
    for chunk in chunks:
        yield _joined(chunk, answers, file.rows) if chunk.rows.columns.num_columns else chunk
    if not answers.used:
        raise UserError(
            f"No row has an id for which {answers.source} holds an answer.",
            "Look whether ingest.answers names the file that belongs to these rows.",
        )
    if left_over := answers.left_over():
        none = np.zeros(0, dtype=np.int64)
        yield Chunk(Rows(pa.table({}), none, none), tuple(left_over))


def counted_from_zero(chunks: Iterator[Chunk], column: str, first: int) -> Iterator[Chunk]:
    """The chunks, numbers in the column lowered so that the first of a list is 0."""
    for chunk in chunks:
        table = chunk.rows.columns
        if column not in table.schema.names:
            yield chunk
            continue
        lowered = pa.array([_lowered(cell, first) for cell in table[column].to_pylist()], pa.string())
        table = table.set_column(table.schema.names.index(column), column, lowered)
        yield replace(chunk, rows=replace(chunk.rows, columns=table))


def _lowered(cell: str | None, first: int) -> str | None:
    return str(int(cell) - first) if cell is not None and cell.isascii() and cell.isdecimal() else cell


@dataclass
class _Answers:
    """By id: line number and answer. `bad` are lines that give none."""

    source: str
    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    bad: list[Reject] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def left_over(self) -> list[Reject]:
        alone = [
            self.rejected(line, NO_ROW, f"no row that could be read has the id {key!r}", [key, answer])
            for key, (line, answer) in self.found.items()
            if key not in self.used
        ]
        return [*self.bad, *alone]

    def rejected(self, line: int, rule: str, reason: str, cells: list[str]) -> Reject:
        remedy = "Correct the line, or take it out."
        return Reject(line, None, rule, reason, remedy, shorten(",".join(cells)), self.source)


def _read(file: AnswerFile, encoding: str) -> _Answers:
    answers, path, source = _Answers(file.source), file.path, file.source
    try:
        text = path.read_text(encoding="utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except FileNotFoundError:
        raise UserError(f"ingest.answers names {source}, which is not there.", "Correct the name.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not {encoding.upper()}: {error}.", "Set ingest.encoding to what it is.") from None
    reader = csv.reader(text.splitlines(keepends=True), delimiter="\t" if path.suffix == ".tsv" else ",")
    for cells in reader:
        line = reader.line_num
        if not cells:
            continue
        if len(cells) != 2 or not cells[0].strip():
            reason = f"the line has {len(cells)} fields where an id and an answer belong"
            answers.bad.append(answers.rejected(line, LINE, reason, cells))
        elif cells[0] in answers.found:
            reason = f"line {answers.found[cells[0]][0]} answers for the id {cells[0]!r} already"
            answers.bad.append(answers.rejected(line, TWICE, reason, cells))
        else:
            answers.found[cells[0]] = (line, cells[1])
    return answers


def _joined(chunk: Chunk, answers: _Answers, name: str) -> Chunk:
    rows = chunk.rows
    names = rows.columns.schema.names
    if KEY not in names or ANSWER in names:
        raise UserError(
            f"Rows whose answers stand in {answers.source} need a column `{KEY}` and none named `{ANSWER}`; they have "
            f"{', '.join(map(repr, names))}.",
            "Rename the columns in the file, or take ingest.answers out.",
        )
    keys = rows.columns[KEY].to_pylist()
    found = [answers.found.get(key or "") for key in keys]
    answers.used.update(key for key, answer in zip(keys, found, strict=True) if answer is not None)
    kept = np.array([answer is not None for answer in found], dtype=bool)
    rejects = [_unanswered(chunk, row, keys[row], answers.source) for row in np.flatnonzero(~kept).tolist()]
    table = rows.columns.filter(pa.array(kept))
    ids = pa.array([f"{name}:{key}" for key, own in zip(keys, kept, strict=True) if own], pa.string())
    table = table.set_column(names.index(KEY), KEY, ids)
    table = table.append_column(ANSWER, pa.array([answer[1] for answer in found if answer], pa.string()))
    literals = {name: marks[kept] for name, marks in rows.literals.items() if name != KEY}
    joined = Rows(table, rows.lines[kept], rows.offsets[kept], literals)
    return Chunk(joined, (*chunk.rejects, *rejects), chunk.split, chunk.place)


def _unanswered(chunk: Chunk, row: int, key: Any, source: str) -> Reject:
    offset = int(chunk.rows.offsets[row])
    return Reject(
        int(chunk.rows.lines[row]),
        None if offset == NO_OFFSET else chunk.place(offset),
        NO_ANSWER,
        f"{source} holds no answer for its id {key!r}",
        "Give it one there, or take the row out.",
        shorten(str(chunk.rows.columns.slice(row, 1).to_pylist()[0])),
    )
