"""Rows, labels and splits of raw files as the pipeline will see them, counted without writing anything."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tunegate.errors import UserError
from tunegate.params import IngestSettings, SplitSettings
from tunegate.records import SPLITS, Payload, as_text, number_column, set_as_text
from tunegate.task import RecordPart
from tunegate.text.readers import ENDINGS, RawFile, choose_files, file_of
from tunegate.text.readers.drafts import DraftMaker
from tunegate.text.readers.huggingface import SPLIT_NAMES
from tunegate.text.readers.mapping import map_fields
from tunegate.text.readers.rows import Chunk

FIRST_ROWS = 3  # rows that are shown


@dataclass(frozen=True)
class Survey:
    """`first` are rows as they were understood, field to value. `labels` is ordered by how often they occur.

    `unlabelled` rows have an empty label: validate takes them out.
    """

    rows: int
    rejected: int
    columns: Mapping[str, str]
    first: list[dict[str, str]]
    labels: dict[str, int]
    splits: dict[str, int]
    unlabelled: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)  # of the task, as these rows suggest them


def files_to_read(data: Path, settings: IngestSettings) -> tuple[list[RawFile], list[str]]:
    """A single file, or those of a folder that the settings name; and the names of those left unread."""
    if data.is_dir():
        return choose_files(data, settings, lambda path: path.name)
    return [file_of(data, settings)], []


def split_files(data: Path) -> dict[str, str]:
    """File name to split for a folder whose files are named for splits (`train.csv`, `dev-v2.0.json`); else nothing."""
    if not data.is_dir():
        return {}
    files = sorted(path for path in data.iterdir() if path.is_file() and not path.name.startswith("."))
    readable = [path for path in files if path.suffix.lower() in {*ENDINGS, ".json"}]  # SQuAD's are .json
    named = {path.name: split for path in readable if (split := _split_named(path.stem))}
    return named if "train" in named.values() else {}


def _split_named(stem: str) -> str | None:
    """The only split among the name's parts."""
    found = {SPLIT_NAMES[part] for part in re.split(r"[-_.]", stem.lower()) if part in SPLIT_NAMES}
    return found.pop() if len(found) == 1 else None


def sample_values(files: Sequence[RawFile], settings: IngestSettings) -> dict[str, str]:
    """The first file's columns, each with the first value in it that is not empty (of its first rows)."""
    samples: dict[str, str] = {}
    for chunk in files[0].read(settings):
        head = chunk.rows.columns.slice(0, 1000)
        for name, values in zip(head.schema.names, head.columns, strict=True):
            samples[name] = samples.get(name) or next((value for value in values.to_pylist() if value), "")
        if len(head):
            break
    return samples


def survey(files: Sequence[RawFile], part: RecordPart, settings: IngestSettings, shares: SplitSettings) -> Survey:
    """Read everything once, as ingest will. Raises UserError where a file as a whole cannot be read, or holds no row.

    Duplicates and bad rows are validate's to find: the counts are those of the raw rows.
    """
    counts, payload = _Counts(), part.PAYLOAD
    for file in files:
        for table, rejected, columns in _drafts(file, payload, settings, shares):
            counts.add(table, rejected, columns, payload)
    if not counts.rows:
        raise UserError(
            f"No row of {files[0].source} can be read ({counts.rejected} were rejected).",
            "Look at it with `tunegate check`, which says why for each line.",
        )
    labels = {label: number for label, number in counts.labels.most_common() if label.strip()}
    return Survey(
        counts.rows,
        counts.rejected,
        counts.columns,
        counts.first,
        labels,
        {split: counts.splits[split] for split in SPLITS},
        counts.labels.total() - sum(labels.values()),
        part.first_options(pa.concat_tables(counts.numbers))
        if counts.numbers and hasattr(part, "first_options")
        else {},
    )


def _drafts(
    file: RawFile, payload: Sequence[Payload], settings: IngestSettings, shares: SplitSettings
) -> Iterator[tuple[pa.Table, int, Mapping[str, str]]]:
    maker: DraftMaker | None = None
    for chunk in file.read(settings):
        maker = maker or _maker(file, chunk, payload, settings, shares)
        table, rejects = maker.draft(chunk)
        yield table, len(rejects), maker.fields.columns


def _maker(
    file: RawFile, chunk: Chunk, payload: Sequence[Payload], settings: IngestSettings, shares: SplitSettings
) -> DraftMaker:
    fields = map_fields(chunk.rows, payload, settings.columns, file.source)
    return DraftMaker(payload, fields, file.source, chunk.split or file.split, shares)


@dataclass
class _Counts:
    rows: int = 0
    rejected: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    first: list[dict[str, str]] = field(default_factory=list)
    labels: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    numbers: list[pa.Table] = field(default_factory=list)  # the answers, where these are numbers

    def add(self, table: pa.Table, rejected: int, columns: Mapping[str, str], payload: Sequence[Payload]) -> None:
        self.rows += len(table)
        self.rejected += rejected
        self.columns = {**columns, **self.columns}
        self._count(self.splits, table["split"])
        for column in payload:
            if column.kind == "label":
                self._count(self.labels, table[column.name])
            elif column.kind in ("labels", "answer") and _holds_labels(column):
                self._count(self.labels, pc.list_flatten(table[column.name]))
        if name := number_column(payload):
            self.numbers.append(table.select([name]))
        if missing := FIRST_ROWS - len(self.first):
            shown = table.slice(0, missing).select([name for name in columns if name in table.column_names])
            kinds = {column.name: column.kind for column in payload}
            plain = pa.table(
                {
                    name: set_as_text(shown[name]) if kinds.get(name) == "labels" else as_text(shown[name])
                    for name in shown.column_names
                }
            )
            self.first += [{name: str(value) for name, value in row.items() if value} for row in plain.to_pylist()]

    @staticmethod
    def _count(counter: Counter[str], values: pa.ChunkedArray) -> None:
        for entry in values.value_counts().to_pylist():
            if entry["values"] is not None:
                counter[str(entry["values"])] += entry["counts"]


def _holds_labels(column: Payload) -> bool:
    """Whether members are labels, and not what each row's own question asks for."""
    return bool(column.type == pa.list_(pa.string())) and column.parse_in_row is None
