"""The texts that a vocabulary is made of and those that it is judged by: training and validation rows, no test rows."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from tunegate.params import IngestSettings, PipelineSettings, SplitSettings
from tunegate.pipelines import pipelines_of
from tunegate.progress import Progress
from tunegate.records import Payload, question_columns, texts_of
from tunegate.stages import Context, ingest, validate
from tunegate.tasks import record_of
from tunegate.text.questions import QUESTION
from tunegate.text.readers import file_of
from tunegate.versions.inputs import current_inputs
from tunegate.workspace import Workspace, no_such_pipeline

HELD_OUT = 0.1  # of the rows of bare files
BATCH = 10_000  # rows in memory at a time


@dataclass(frozen=True)
class Rows:
    """Records in a Parquet file."""

    path: Path
    payload: tuple[Payload, ...]

    def __len__(self) -> int:
        return int(pq.read_metadata(self.path).num_rows)

    def texts(self) -> Iterator[str]:
        """Every part of each row's question that holds something; a passage that many rows are about comes once."""
        names, seen = question_columns(self.payload), set[int]()
        with pq.ParquetFile(self.path) as file:
            there = [name for name in names if name in file.schema_arrow.names]
            for batch in file.iter_batches(BATCH, columns=there):
                for column in texts_of(pa.Table.from_batches([batch]), self.payload):
                    for text in column.to_pylist():
                        if text and text.strip() and (mark := xxhash.xxh3_64_intdigest(text.encode())) not in seen:
                            seen.add(mark)
                            yield text


@dataclass(frozen=True)
class OwnTexts:
    """`source`: for people."""

    train: Rows
    held_out: Rows
    source: str


@contextmanager
def of_pipeline(workspace: Workspace, name: str, progress: Progress) -> Iterator[OwnTexts]:
    """The rows that validate let through: those of the last run, or, where there was none, read and checked aside.

    Raises UserError, and RefusedError where the data is over its limits.
    """
    known = pipelines_of(workspace)
    if name not in known:
        raise no_such_pipeline(name, known)
    with TemporaryDirectory(prefix="tunegate-vocabulary-") as folder:
        place = workspace
        if not (workspace.stage(name, "validate") / "verdict.json").is_file():
            place = _Aside(workspace.root, workspace.shared_state, Path(folder))
        context = _checked(place, name, known[name], progress)
        payload = record_of(known[name].task).PAYLOAD
        train, held_out = (
            Rows(context.path("validate", f"{split}.parquet"), payload) for split in ("train", "validation")
        )
        yield OwnTexts(train, held_out, name)


@dataclass(frozen=True)
class _Aside(Workspace):
    """The project with its stages' folders elsewhere."""

    folder: Path = Path()

    def stage(self, pipeline: str, stage: str) -> Path:
        return self.folder / stage


def _checked(place: Workspace, name: str, settings: PipelineSettings, progress: Progress) -> Context:
    """A context that sees rows which were accepted."""
    inputs = current_inputs(place, name, settings).model_copy(update={"previous": None})
    for stage, module in (("ingest", ingest), ("validate", validate)) if isinstance(place, _Aside) else ():
        out = place.stage(name, stage)
        out.mkdir(parents=True)
        module.run(Context(place, name, inputs, out, progress))
    context = Context(place, name, inputs, place.stage(name, "validate"), progress)
    context.require_accepted("validate")
    return context


@contextmanager
def of_files(files: Sequence[Path], settings: IngestSettings, progress: Progress) -> Iterator[OwnTexts]:
    """A column `text`, and `text_b` where there is one. A tenth of the rows, by a hash of the text, is held out.

    Raises UserError.
    """
    raw = [file_of(path, settings) for path in files]
    shares = SplitSettings(test=0.0, validation=HELD_OUT)
    with TemporaryDirectory(prefix="tunegate-vocabulary-") as folder:
        out = Path(folder)
        ingest.ingest(raw, QUESTION, settings, shares, out, progress)
        parts = {split: Rows(out / f"{split}.parquet", QUESTION) for split in ("train", "validation")}
        _part(out / "records.parquet", parts)
        yield OwnTexts(parts["train"], parts["validation"], ", ".join(path.name for path in files))


def _part(records: Path, parts: Mapping[str, Rows]) -> None:
    """Rows to the file of their split."""
    with ExitStack() as stack:
        file = stack.enter_context(pq.ParquetFile(records))
        writers = {
            split: stack.enter_context(pq.ParquetWriter(rows.path, file.schema_arrow)) for split, rows in parts.items()
        }
        for batch in file.iter_batches(BATCH):
            rows = pa.Table.from_batches([batch])
            for split, writer in writers.items():
                writer.write_table(rows.filter(pc.equal(rows["split"], split)))
