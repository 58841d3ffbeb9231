"""A workspace as the stages before tokenize leave it: a tiny base model, the task's examples, accepted data."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.tiny import tiny_bert
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.records import ROW, record_schema, write_table
from tunegate.tasks import record_of
from tunegate.workspace import Workspace, write_atomically

PIPELINE = "small"
TASK = "text_classification"
TRAIN = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-3, "threads": 1, "precision": "fp32", "device": "cpu"}


def records(rows: Sequence[Mapping[str, Any]], split: str) -> pa.Table:
    """A table of records with ROW's columns filled in."""
    schema = record_schema(record_of(TASK).PAYLOAD)
    own = {"split": split, "source": "data/raw/small/rows.csv", "weight": 1.0, "origin": "raw"}
    full = [{**own, "id": f"{split}-{n}", "source_line": n + 2, **row} for n, row in enumerate(rows)]
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in full], schema=schema)


def prepare(
    root: Path,
    *,
    train: Mapping[str, Any] | None = None,
    tokenize: Mapping[str, Any] | None = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
    accepted: bool = True,
) -> Workspace:
    """The workspace; `train` and `tokenize` change settings, `rows` replaces the task's examples."""
    workspace = Workspace(root)
    examples = list(rows if rows is not None else record_of(TASK).EXAMPLES)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    if not workspace.model("models/tiny").is_dir():
        tiny_bert(workspace.model("models/tiny"), [row["text"] for row in examples])
    write_table(records(examples, "train"), workspace.stage(PIPELINE, "augment") / "train.parquet")
    write_table(records(examples[::3], "validation"), workspace.stage(PIPELINE, "validate") / "validation.parquet")
    labels = sorted({row["label"] for row in examples})
    write_atomically(workspace.stage(PIPELINE, "validate") / "labels.json", json.dumps(labels))
    verdict = {"accepted": accepted, "reasons": [] if accepted else ["[TEXT_EMPTY] 9 of 10 rows have no text."]}
    write_atomically(workspace.stage(PIPELINE, "validate") / "verdict.json", json.dumps(verdict))
    write_inputs(workspace, train=train, tokenize=tokenize)
    return workspace


def write_inputs(
    workspace: Workspace, *, train: Mapping[str, Any] | None = None, tokenize: Mapping[str, Any] | None = None
) -> None:
    settings = PipelineSettings.model_validate(
        {
            "task": TASK,
            "data": "small",
            "model": "models/tiny",
            "tokenize": {"max_length": 32, **(tokenize or {})},
            "train": {**TRAIN, **(train or {})},
        }
    )
    params = settings.model_dump(mode="json", by_alias=True)
    environment = {"tokenizers": "0", "torch": "0", "transformers": "0"}
    Inputs(pipeline=PIPELINE, params=params, environment=environment).write(workspace.inputs(PIPELINE))


__all__ = ["PIPELINE", "ROW", "prepare", "records", "write_inputs"]
