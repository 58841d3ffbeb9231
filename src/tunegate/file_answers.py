"""A file of questions to answers, row by row in the file's order, a chunk in memory at a time.

A row that cannot be read or holds no question keeps its place, with an error in place of an answer.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa

from tunegate.asked import unlearnt
from tunegate.errors import UserError
from tunegate.exported import Filled, Manifest
from tunegate.params import IngestSettings
from tunegate.predictor import Predictor
from tunegate.records import Payload
from tunegate.tasks import record_of
from tunegate.text.readers import file_of
from tunegate.text.readers.mapping import delimiter_hint
from tunegate.text.readers.rows import Chunk
from tunegate.text.values import parsed

Row = dict[str, Any]
"""`line`, then either the fields of the task's answer, or `error`."""

Told = Callable[[int, int], None]
"""Told (rows answered, rows in all)."""


@dataclass(frozen=True)
class Asked:
    """`table`: the questions, in their order. `rows`: every row's line, in the file's order, with what is wrong with it
    or None; those with None are the table's."""

    table: pa.Table
    rows: list[tuple[int, str | None]]


@dataclass(frozen=True)
class FileQuestions:
    """A file, how to read it, which column is which field of a question, and what the model has learnt from."""

    path: Path
    settings: IngestSettings
    payload: tuple[Payload, ...]
    filled: Mapping[str, Filled]

    def chunks(self) -> Iterator[Chunk]:
        yield from file_of(self.path, self.settings).read(self.settings)

    def count(self) -> int:
        """Rows, unreadable ones too; reading is quick beside answering."""
        return sum(len(chunk.rows.lines) + len(chunk.rejects) for chunk in self.chunks())

    def asked(self, chunk: Chunk) -> "Asked":
        """The questions among a chunk's rows. Raises UserError as `columns` and `fault` do."""
        rows: list[tuple[int, str | None]] = [(reject.source_line, reject.reason) for reject in chunk.rejects]
        if not len(chunk.rows.lines):
            return Asked(pa.table({}), sorted(rows, key=lambda row: row[0]))
        columns = self.columns(chunk.rows.columns.schema.names)
        table, reasons = _parsed(chunk, self.payload, columns)
        faults = [
            reasons.get(number) or self.fault(row, line)
            for number, (row, line) in enumerate(zip(table.to_pylist(), chunk.rows.lines.tolist(), strict=True))
        ]
        rows += zip(chunk.rows.lines.tolist(), faults, strict=True)
        is_asked = pa.array([fault is None for fault in faults], pa.bool_())
        return Asked(table.filter(is_asked), sorted(rows, key=lambda row: row[0]))

    def columns(self, found: list[str]) -> dict[str, str]:
        """Field to column. Raises UserError that lists the columns when a required one is missing."""
        named = {field.name: self.settings.columns.get(field.name, field.name) for field in self.payload}
        for field in self.payload:
            needed = field.required or self.filled.get(field.name) == "always"
            if needed and named[field.name] not in found:
                raise UserError(
                    f'{self.path} has no column "{named[field.name]}" (for {field.name}). '
                    f"Its columns are: {', '.join(map(repr, found))}.",
                    delimiter_hint(found) or f"Rename one, or say which it is with --column {field.name}=NAME.",
                )
        return {name: column for name, column in named.items() if column in found}

    def fault(self, question: Row, line: int) -> str | None:
        """Why the row cannot be answered; None for a question. Raises UserError where the model cannot use a column."""
        filled = {name: value for name, value in question.items() if value and str(value).strip()}
        for field in self.payload:
            if field.name not in filled and (field.required or self.filled.get(field.name) == "always"):
                return f"{field.name} is empty"
        if mistake := unlearnt(filled, self.filled):
            raise UserError(
                f"{self.path}:{line}: {mistake.message}",
                f"Take the column out of the file, or rename it if it is no {mistake.where}.",
            )
        return None


def file_questions(
    path: Path, manifest: Manifest, settings: IngestSettings, columns: Mapping[str, str]
) -> FileQuestions:
    """`columns` wins over the settings', of which only those of questions count."""
    payload = tuple(field for field in record_of(manifest.task).PAYLOAD if field.kind == "text")
    names = [field.name for field in payload]
    if unknown := [name for name in columns if name not in names]:
        raise UserError(f'--column: there is no field "{unknown[0]}".', f"The fields are: {', '.join(names)}.")
    wanted = {name: column for name, column in {**settings.columns, **columns}.items() if name in names}
    of_answers = {"answers": {}, "first_option": 0, "label_columns": [], "label_delimiter": None}
    settings = settings.model_copy(update={"columns": wanted, "format": "auto", **of_answers})
    return FileQuestions(path, settings, payload, manifest.filled)


def answer_file(
    predictor: Predictor, questions: FileQuestions, with_scores: bool, told: Told = lambda done, total: None
) -> Iterator[Row]:
    """Raises UserError when the file as a whole cannot be read."""
    total = questions.count()
    done = 0
    for chunk in questions.chunks():
        yield from _answer_chunk(predictor, questions, chunk, with_scores)
        done += len(chunk.rows.lines) + len(chunk.rejects)
        told(done, total)


def _answer_chunk(predictor: Predictor, questions: FileQuestions, chunk: Chunk, with_scores: bool) -> list[Row]:
    asked = questions.asked(chunk)
    answers = iter(predictor.say(predictor.answers(asked.table), with_scores)) if len(asked.table) else iter(())
    return [{"line": line, **({"error": fault} if fault else next(answers))} for line, fault in asked.rows]


def _parsed(chunk: Chunk, payload: tuple[Payload, ...], columns: Mapping[str, str]) -> tuple[pa.Table, dict[int, str]]:
    """The questions' columns, and per row with a cell that cannot be used the reason."""
    found: dict[str, pa.Array] = {}
    reasons: dict[int, str] = {}
    for field in payload:
        if field.name in columns:
            cells = chunk.rows.columns[columns[field.name]].combine_chunks()
            found[field.name], wrong = parsed(cells, field)
            reasons |= wrong
    return pa.table(found), reasons


def write_json_lines(rows: Iterator[Row], stream: TextIO) -> None:
    for row in rows:
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_delimited(rows: Iterator[Row], stream: TextIO, fields: list[str], delimiter: str) -> None:
    """`line`, the answer's fields, `error`; what is no plain value as JSON. Nothing where the file cannot be read."""
    first = list(islice(rows, 1))  # before the header: a file's mistakes show when its first row is asked for
    writer = csv.DictWriter(stream, ["line", *fields, "error"], delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in chain(first, rows):
        writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value
