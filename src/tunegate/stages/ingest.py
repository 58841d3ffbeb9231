"""Read the raw files: every input row becomes a record or a reject, and each record knows its split."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tunegate.errors import UserError
from tunegate.params import IngestSettings, SplitSettings
from tunegate.progress import Progress
from tunegate.records import REJECT, SPLITS, Payload, record_schema
from tunegate.stages import Context, Report
from tunegate.tasks import record_of
from tunegate.text.readers import RawFile, choose_files
from tunegate.text.readers.drafts import HAS_ID, DraftMaker, draft_schema, numbered
from tunegate.text.readers.mapping import map_fields
from tunegate.text.readers.rows import Reject, reject_table

REJECTS_SHOWN = 3  # in the message when nothing else could be read


class FileReport(Report):
    """`columns` is the field's column in this file."""

    rows: int
    rejected: int
    columns: dict[str, str]


class IngestReport(Report):
    """Rows by what became of them. `unread` are files that no pattern names or whose ending no reader knows."""

    rows: int
    rejected: int
    splits: dict[str, int]
    rejected_by_rule: dict[str, int]
    files: dict[str, FileReport]
    unread: list[str]

    def markdown(self) -> str:
        return "\n".join(
            [
                f"{self.rows} rows read, {self.rejected} rejected.\n",
                "| file | rows | rejected | columns |\n|---|---|---|---|",
                *(
                    f"| {name} | {file.rows} | {file.rejected} | "
                    f"{', '.join(f'{key}: `{column}`' for key, column in file.columns.items())} |"
                    for name, file in self.files.items()
                ),
                "\n| split | rows |\n|---|---|",
                *(f"| {split} | {count} |" for split, count in self.splits.items()),
                *([f"\nNot read: {', '.join(self.unread)}."] if self.unread else []),
                "",
            ]
        )


def run(context: Context) -> IngestReport:
    settings = context.settings(IngestSettings)
    folder = context.workspace.raw(str(context.inputs.params["data"]))
    if not folder.is_dir():
        raise UserError(
            f"{context.workspace.relative(folder)} is missing.",
            "Bring it with `dvc pull`, or add data with `tunegate data add` or `tunegate data fetch`.",
        )
    files, unread = choose_files(folder, settings, context.workspace.relative)
    if unread:
        context.progress.say(f"not read: {', '.join(unread)}")
    payload = record_of(context.task).PAYLOAD
    report = ingest(files, payload, settings, context.settings(SplitSettings), context.out, context.progress)
    return report.model_copy(update={"unread": unread})


def ingest(  # noqa: PLR0917 -- the stage without its settings file, for data outside a pipeline
    files: Sequence[RawFile],
    payload: tuple[Payload, ...],
    settings: IngestSettings,
    shares: SplitSettings,
    out: Path,
    progress: Progress,
) -> IngestReport:
    """Write `records.parquet` and `rejects.parquet` into `out`. Raises UserError when no row could be read.

    Two passes, so that memory stays flat: rows without an id hold a hash of their payload at first, and identical
    ones are told apart once all are known.
    """
    tally = _Tally()
    draft = out / "draft.arrow"
    with (
        pa.OSFile(str(draft), "wb") as sink,
        pa.ipc.new_file(sink, draft_schema(payload)) as writer,
        pq.ParquetWriter(out / "rejects.parquet", REJECT, compression="zstd") as rejects,
    ):
        for number, file in enumerate(files, start=1):
            for table, rejected in _drafts(file, payload, settings, shares, tally):
                writer.write_table(table)
                rejects.write_table(reject_table(rejected, file.source))
            progress.advance("files", number, len(files), f"{tally.rows:,} rows, {tally.rejected:,} rejected")
    if not tally.rows:
        raise _nothing_read(files, tally)
    _write_records(draft, out / "records.parquet", payload)
    draft.unlink()
    return tally.report()


@dataclass
class _Tally:
    """What the report will say."""

    splits: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    files: dict[str, FileReport] = field(default_factory=dict)
    first: list[tuple[str, Reject]] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files.values())

    @property
    def rejected(self) -> int:
        return sum(file.rejected for file in self.files.values())

    def add(self, source: str, columns: dict[str, str], table: pa.Table, rejected: Sequence[Reject]) -> None:
        before = self.files.get(source)
        rows, bad = (before.rows, before.rejected) if before else (0, 0)
        self.files[source] = FileReport(
            rows=rows + table.num_rows, rejected=bad + len(rejected), columns=dict(sorted(columns.items()))
        )
        counts = pc.value_counts(table["split"])
        self.splits.update({count["values"]: count["counts"] for count in counts.to_pylist()})
        self.rules.update(reject.rule for reject in rejected)
        self.first += [(reject.source or source, reject) for reject in rejected[: REJECTS_SHOWN - len(self.first)]]

    def report(self) -> IngestReport:
        return IngestReport(
            rows=self.rows,
            rejected=self.rejected,
            splits={split: self.splits[split] for split in SPLITS},
            rejected_by_rule=dict(sorted(self.rules.items())),
            files=self.files,
            unread=[],
        )


def _drafts(
    file: RawFile, payload: tuple[Payload, ...], settings: IngestSettings, shares: SplitSettings, tally: _Tally
) -> Iterator[tuple[pa.Table, list[Reject]]]:
    maker: DraftMaker | None = None
    waiting: list[Reject] = []  # rejects before the first row that shows the file's columns
    for chunk in file.read(settings):
        if maker is None and not chunk.rows.columns.num_columns:
            waiting += chunk.rejects
            continue
        if maker is None or not tally.files[file.source].rows:
            fields = map_fields(chunk.rows, payload, settings.columns, file.source)
            maker = DraftMaker(payload, fields, file.source, file.split, shares)
        table, rejected = maker.draft(chunk)
        tally.add(file.source, dict(maker.fields.columns), table, [*waiting, *rejected])
        yield table, [*waiting, *rejected]
        waiting = []
    if waiting:
        tally.add(file.source, {}, draft_schema(payload).empty_table(), waiting)
        yield draft_schema(payload).empty_table(), waiting


def _write_records(draft: Path, path: Path, payload: tuple[Payload, ...]) -> None:
    """The drafts with their ids settled: of identical rows the second one's id ends in `-2`, and so on."""
    schema = record_schema(payload)
    with pa.memory_map(str(draft)) as file, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        reader = pa.ipc.open_file(file)
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
        earlier = numbered([value for batch in batches for value in _hashes(batch)])
        start = 0
        for batch in batches:
            ids, start = _settled(batch, earlier, start)
            writer.write_table(
                pa.Table.from_batches([batch]).set_column(0, schema.field("id"), ids).select(schema.names)
            )


def _hashes(batch: pa.RecordBatch) -> list[bytes]:
    return [bytes.fromhex(text) for text in batch["id"].filter(pc.invert(batch[HAS_ID])).to_pylist()]


def _settled(batch: pa.RecordBatch, earlier: NDArray[np.int64], start: int) -> tuple[pa.Array, int]:
    """The batch's ids, and where the next batch's numbers start in `earlier`."""
    hashed = ~np.asarray(batch[HAS_ID].to_numpy(zero_copy_only=False), dtype=bool)
    end = start + int(hashed.sum())
    repeats = np.zeros(len(batch), dtype=np.int64)
    repeats[hashed] = earlier[start:end]
    suffix = pc.if_else(pa.array(repeats > 0), pa.array([f"-{number + 1}" for number in repeats.tolist()]), "")
    return pc.binary_join_element_wise(batch["id"], suffix, ""), end


def _nothing_read(files: Sequence[RawFile], tally: _Tally) -> UserError:
    where = files[0].source if len(files) == 1 else f"{len(files)} files"
    if not tally.rejected:
        return UserError(f"{where}: there is a header and no row under it.", "Put the rows in it.")
    shown = "; ".join(
        f"{source}:{reject.source_line} [{reject.rule}] {reject.reason}" for source, reject in tally.first
    )
    return UserError(f"{where}: none of {tally.rejected:,} rows can be read: {shown}.", tally.first[0][1].remedy)
