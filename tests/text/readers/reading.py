"""One file through the real reader and ingest's own path to records."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa

from tunegate.params import IngestSettings, SplitSettings
from tunegate.progress import Progress
from tunegate.records import Payload, read_table
from tunegate.stages.ingest import IngestReport, ingest
from tunegate.tasks import record_of
from tunegate.text.readers import file_of

PAYLOAD = record_of("text_classification").PAYLOAD


def read_file(
    path: Path, payload: tuple[Payload, ...] = PAYLOAD, **settings: Any
) -> tuple[pa.Table, pa.Table, IngestReport]:
    """Records, rejects and report. Results are written beside the file."""
    chosen = IngestSettings(**settings)
    out = path.parent / f"{path.name}.out"
    out.mkdir(exist_ok=True)
    file = file_of(path, chosen)
    report = ingest([file], payload, chosen, SplitSettings(), out, Progress("ingest", stream=io.StringIO()))
    return read_table(out / "records.parquet"), read_table(out / "rejects.parquet"), report


def read_bytes(folder: Path, name: str, content: bytes, **settings: Any) -> tuple[pa.Table, pa.Table, IngestReport]:
    """The same for a file made on the spot."""
    (folder / name).write_bytes(content)
    return read_file(folder / name, **settings)
