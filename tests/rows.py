"""Tables of records for tests, made from the few columns that a test is about."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tunegate.inputs import Inputs
from tunegate.params import ValidateSettings
from tunegate.records import REJECT, record_schema, write_table
from tunegate.tasks import record_of
from tunegate.workspace import Workspace

SCHEMA = record_schema(record_of("text_classification").PAYLOAD)


def records(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Each row needs a text; the rest is filled in (split train, label a, ids and lines by number)."""
    whole = [
        {
            "id": f"r{number}",
            "split": "train",
            "source": "data/raw/x/train.csv",
            "source_line": number + 1,
            "weight": 1.0,
            "origin": "raw",
            "label": "a",
            **row,
        }
        for number, row in enumerate(rows, start=1)
    ]
    columns = [pa.array([row.get(field.name) for row in whole], type=field.type) for field in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def ordinary(number: int) -> list[dict[str, Any]]:
    """Rows that nothing is wrong with, in all splits and two labels."""
    return [
        {
            "text": f"ordinary message number {number}",
            "split": ("train", "train", "train", "validation", "test")[number // 2 % 5],
            "label": "ab"[number % 2],
        }
        for number in range(number)
    ]


def project(root: Path, table: pa.Table, rejects: int = 0, **inputs: Any) -> Workspace:
    """A workspace in which `validate` of the pipeline `shop` can run."""
    workspace = Workspace(root)
    write_table(table, workspace.stage("shop", "ingest") / "records.parquet")
    rejected = [
        {
            "source": "data/raw/x/train.csv",
            "source_line": 9_000 + number,
            "byte_offset": 0,
            "rule": "LINE",
            "reason": "the line has 2 fields, not 3",
            "remedy": "Mend the line.",
            "raw": "a,b",
        }
        for number in range(rejects)
    ]
    write_table(pa.Table.from_pylist(rejected, schema=REJECT), workspace.stage("shop", "ingest") / "rejects.parquet")
    settings = inputs.pop("settings", ValidateSettings())
    params = {"task": "text_classification", "validate": settings.model_dump(mode="json")}
    Inputs(pipeline="shop", params=params, **inputs).write(workspace.inputs("shop"))
    return workspace
