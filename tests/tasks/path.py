"""The path of any task's own examples: raw rows as JSON lines, a tiny model, the real stages."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.tasks.perfect import plain_texts
from tests.tiny import tiny_bert
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.stages import STAGES, run_stage
from tunegate.tasks import TASKS, examples_of, options_of, record_of
from tunegate.validation.checks import RELATIONS
from tunegate.workspace import Workspace

PIPELINE = "tiny"
BEFORE_TRAIN = ("ingest", "validate", "augment", "tokenize")
BEFORE_GATE = (*BEFORE_TRAIN, "train", "export", "evaluate")
SETTINGS: Mapping[str, Any] = {
    "data": "tiny",
    "model": "models/tiny",
    "tokenize": {"max_length": 32},
    "train": {"epochs": 40, "batch_size": 4, "learning_rate": 1e-2, "threads": 1, "precision": "fp32", "dropout": 0.0},
    "export": {"precisions": ["fp32"]},
    "evaluate": {"latency_lengths": [8], "latency_repeats": 5, "resamples": 200},
    # The same rows stand on every side: nothing but learning is asked here.
    "validate": {"min_rows": 1, "checks": {code: {"action": "off"} for code in sorted(RELATIONS)}},
}

Way = tuple[str, Mapping[str, Any]]

WAYS: tuple[Way, ...] = (
    *((task, {}) for task in TASKS),
    ("multiple_choice", {"form": "joint"}),
)
"""Every task as it is by default, and with settings that give it another head."""


def way_id(way: Way) -> str:
    return " ".join((way[0], *map(str, way[1].values())))


def go(way: Way, root: Path, stages: Sequence[str], **sections: Mapping[str, Any]) -> Workspace:
    """A workspace in which these stages have run on the task's own examples; `sections` change settings."""
    task, chosen = way
    workspace = Workspace(root)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    workspace.raw("tiny").mkdir(parents=True)
    with (workspace.raw("tiny") / "rows.jsonl").open("w") as file:
        for split in ("train", "validation", "test"):
            for number, row in enumerate(record_of(task).EXAMPLES):
                file.write(json.dumps({"id": f"{split}-{number}", "split": split, **row}) + "\n")
    tiny_bert(workspace.model("models/tiny"), plain_texts(examples_of(record_of(task))))
    changed = {name: {**SETTINGS.get(name, {}), **changes} for name, changes in sections.items()}
    settings = PipelineSettings.model_validate({"task": task, **SETTINGS, **changed})
    options = options_of(task).model_validate(chosen).model_dump(mode="json")
    params = settings.model_dump(mode="json", by_alias=True) | {"options": options}
    keys = {key.removeprefix("environment.") for of in STAGES.values() for key in of.reads if "environment." in key}
    Inputs(pipeline=PIPELINE, params=params, environment=dict.fromkeys(keys, "0")).write(workspace.inputs(PIPELINE))
    for stage in stages:
        run_stage(stage, PIPELINE, workspace)
    return workspace
