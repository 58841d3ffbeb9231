"""A data version's rows, read once by the pipeline's own settings and kept for comparisons.

Rows lie in an Arrow file that is mapped, not loaded; in memory are some dozens of bytes per row, and never a Python
object per row for longer than a batch.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from tunegate.data_versions.matching import RowKeys, Rows
from tunegate.progress import Progress
from tunegate.records import (
    SPLITS,
    Payload,
    answer_of,
    as_text,
    label_column,
    question_columns,
    record_schema,
    texts_of,
)
from tunegate.stages.ingest import ingest
from tunegate.text.normalise import exact_keys, near_keys
from tunegate.workspace import fresh_folder, write_atomically

BATCH = 20_000  # rows
REST = ("group", "weight", "annotator", "meta")  # columns whose change alone makes a row "other"
DISTINCT = 50  # values of an extra column: with more of them their shares say little
KEYS = ("id", "exact", "near", "label", "split", "rest")


class VersionFacts(BaseModel):
    """What is known of a version as a whole. `columns`: extra column to value to rows, where it has few values."""

    model_config = ConfigDict(frozen=True)

    rows: int
    rejected: int
    labels: list[str]  # in the order of `Version.label`'s numbers
    sources: dict[str, int]
    columns: dict[str, dict[str, int]]


@dataclass(frozen=True)
class VersionRows:
    """A version as `read_version` left it in `folder`."""

    folder: Path
    payload: tuple[Payload, ...]

    @cached_property
    def facts(self) -> VersionFacts:
        return VersionFacts.model_validate_json((self.folder / "facts.json").read_text(encoding="utf-8"))

    @cached_property
    def keys(self) -> RowKeys:
        return RowKeys(**{name: np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in KEYS})

    @cached_property
    def label(self) -> NDArray[np.int32]:
        """The label's number in `facts.labels`, -1 for none, [n]."""
        return np.asarray(np.load(self.folder / "label_number.npy"))

    @cached_property
    def split(self) -> NDArray[np.int8]:
        """The split's place in SPLITS, [n]."""
        return np.asarray(np.load(self.folder / "split_number.npy"))

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Characters of all texts together, [n]."""
        return np.asarray(np.load(self.folder / "length.npy"))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(question_columns(self.payload))

    def __len__(self) -> int:
        return self.facts.rows

    def take(self, rows: Rows, columns: tuple[str, ...] | None = None) -> pa.Table:
        """Those rows in that order; only they are touched."""
        names = list(columns or record_schema(self.payload).names)
        order = np.argsort(rows, kind="stable")
        batches = np.searchsorted(self._starts, rows[order], side="right") - 1
        schema = record_schema(self.payload)
        parts = [pa.schema([schema.field(name) for name in names]).empty_table()]
        for batch in np.unique(batches).tolist():
            inside = rows[order][batches == batch] - self._starts[batch]
            parts.append(pa.Table.from_batches([self._file.get_batch(batch).select(names).take(pa.array(inside))]))
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.arange(len(rows))
        return pa.concat_tables(parts).combine_chunks().take(pa.array(back))

    def text(self, rows: Rows) -> pa.Array:
        """The rows' texts, several of a row joined."""
        table = self.take(rows, self.texts)
        columns = [as_text(table[name].combine_chunks()) for name in self.texts]
        return pc.binary_join_element_wise(*columns, " ", null_handling="skip")

    @cached_property
    def _file(self) -> Any:
        return pa.ipc.open_file(pa.memory_map(str(self.folder / "records.arrow")))

    @cached_property
    def _starts(self) -> Rows:
        """The number of each batch's first row."""
        return np.asarray(np.load(self.folder / "starts.npy"))


def read_version(version: "Any", target: Path, progress: Progress) -> VersionRows:
    """The version's rows in `target`, where they may lie already. `version` is a `naming.DataVersion`."""
    rows = VersionRows(target, version.payload)
    if not (target / "facts.json").is_file():
        with fresh_folder(target) as folder:
            report = ingest(version.files, version.payload, version.ingest, version.split, folder, progress)
            keep_rows(folder / "records.parquet", version.payload, folder, report.rejected)
            (folder / "records.parquet").unlink()
    return rows


def keep_rows(records: Path, payload: tuple[Payload, ...], folder: Path, rejected: int = 0) -> None:
    """A Parquet file of records as the files that `VersionRows` reads."""
    gathered = _Gathered(payload)
    schema = record_schema(payload)
    with pa.OSFile(str(folder / "records.arrow"), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in _batches(records):
            writer.write_batch(batch)
            gathered.add(batch)
    for name, values in gathered.arrays().items():
        np.save(folder / f"{name}.npy", values)
    write_atomically(folder / "facts.json", gathered.facts(rejected).model_dump_json())


def _batches(records: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(records) as file:
        yield from file.iter_batches(BATCH)


class _Gathered:
    """Keys and tallies of the batches so far."""

    def __init__(self, payload: tuple[Payload, ...]) -> None:
        self.payload = payload
        self.label = label_column(payload)
        self.arrays_of: dict[str, list[NDArray[Any]]] = {}
        self.sizes: list[int] = []
        self.numbers: dict[str | None, int] = {None: -1}
        self.sources: Counter[str] = Counter()
        self.columns = _ExtraColumns()

    def add(self, batch: pa.RecordBatch) -> None:
        table = pa.Table.from_batches([batch])
        texts, answer = texts_of(table, self.payload), answer_of(table, self.payload)
        found = {
            "id": exact_keys([batch.column("id")]),
            "exact": exact_keys(texts),
            "near": near_keys(texts),
            "label": exact_keys([answer]),
            "split": exact_keys([batch.column("split")]),
            "rest": exact_keys([pc.cast(batch.column(name), pa.string()) for name in REST]),
            "label_number": self._label_numbers(answer if self.label else pa.nulls(len(batch), pa.string())),
            "split_number": np.asarray(pc.index_in(batch.column("split"), pa.array(SPLITS)), dtype=np.int8),
            "length": np.sum([np.asarray(pc.fill_null(pc.utf8_length(text), 0)) for text in texts], axis=0).astype(
                np.int32
            ),
        }
        for name, values in found.items():
            self.arrays_of.setdefault(name, []).append(values)
        self.sizes.append(len(batch))
        self.sources.update(_counted(batch.column("source")))
        self.columns.add(batch.column("meta"))

    def arrays(self) -> dict[str, NDArray[Any]]:
        joined = {name: np.concatenate(parts) for name, parts in self.arrays_of.items()}
        return {**joined, "starts": np.cumsum([0, *self.sizes[:-1]])}

    def facts(self, rejected: int) -> VersionFacts:
        return VersionFacts(
            rows=sum(self.sizes),
            rejected=rejected,
            labels=[name for name in self.numbers if name is not None],
            sources=dict(self.sources),
            columns=self.columns.few_valued(),
        )

    def _label_numbers(self, labels: pa.Array) -> NDArray[np.int32]:
        encoded = labels.dictionary_encode()
        for name in encoded.dictionary.to_pylist():
            self.numbers.setdefault(name, len(self.numbers) - 1)
        numbers = np.array([self.numbers[name] for name in encoded.dictionary.to_pylist()] + [-1], dtype=np.int32)
        return np.asarray(numbers[np.asarray(pc.fill_null(encoded.indices, -1))])


class _ExtraColumns:
    """Values of the columns that no field names, counted; a column with too many of them is given up."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.given_up: set[str] = set()

    def add(self, meta: pa.Array) -> None:
        for name, values in _members(meta).items():
            if name in self.given_up:
                continue
            counter = self.counts.setdefault(name, Counter())
            counter.update(values)
            if len(counter) > DISTINCT:
                self.given_up.add(name)
                del self.counts[name]

    def few_valued(self) -> dict[str, dict[str, int]]:
        return {name: dict(sorted(counter.items())) for name, counter in sorted(self.counts.items())}


def _members(meta: pa.Array) -> dict[str, Counter[str]]:
    """Of a batch of JSON objects: member to value to rows. Arrow's reader, and Python's where types are mixed."""
    texts = meta.drop_null()
    if not len(texts):
        return {}
    try:
        table = pj.read_json(pa.BufferReader("\n".join(texts.to_pylist()).encode()))
        plain = {name: table[name].cast(pa.string()).combine_chunks() for name in table.column_names}
        return {name: _counted(column) for name, column in plain.items()}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found: dict[str, Counter[str]] = {}
        for text in texts.to_pylist():
            for name, value in json.loads(text).items():
                found.setdefault(name, Counter())[value if isinstance(value, str) else json.dumps(value)] += 1
        return found


def _counted(column: pa.Array) -> Counter[str]:
    names, counts = pc.value_counts(column.drop_null()).flatten()
    return Counter(dict(zip(names.to_pylist(), counts.to_pylist(), strict=True)))
