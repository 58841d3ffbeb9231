"""A pipeline whose rows are checked, with a tiny model: what `tunegate ablate` starts from."""

import json
from pathlib import Path

from tests.tiny import tiny_bert
from tests.trained import make_records, make_rows
from tunegate.pipelines import pipelines_of
from tunegate.records import write_table
from tunegate.versions.inputs import current_inputs
from tunegate.workspace import Workspace

PIPELINE = "demo"
SIZES = {"train": 24, "validation": 12, "test": 24}
PARAMS = """\
pipelines:
  demo:
    task: text_classification
    data: demo
    model: models/tiny
    split: {test: 0.4, validation: 0.2}
    tokenize: {max_length: 32}
    augment: {swap: 1}
    train: {epochs: 2, learning_rate: 2.0e-3, batch_size: 8, precision: fp32, threads: 1, checkpoint_steps: 2}
"""


def make_project(root: Path) -> Workspace:
    """As validate leaves it."""
    workspace = Workspace(root)
    (root / "dvc.yaml").write_text("stages: {}\n")
    workspace.params.write_text(PARAMS)
    rows = make_rows(sum(SIZES.values()))
    tiny_bert(workspace.model("models/tiny"), [row["text"] for row in rows])
    current_inputs(workspace, PIPELINE, pipelines_of(workspace)[PIPELINE]).write(workspace.inputs(PIPELINE))
    folder, start = workspace.stage(PIPELINE, "validate"), 0
    for split, size in SIZES.items():
        write_table(make_records(rows[start : start + size], split), folder / f"{split}.parquet")
        start += size
    (folder / "labels.json").write_text(json.dumps(sorted({row["label"] for row in rows})))
    (folder / "verdict.json").write_text(json.dumps({"accepted": True, "reasons": []}))
    return workspace
