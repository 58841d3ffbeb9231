"""A tiny classifier in the folders that the stages before export leave, made in a second."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.tiny import tiny_bert
from tunegate.inputs import Inputs
from tunegate.records import record_schema, write_table
from tunegate.stages import STAGES, run_stage
from tunegate.tasks.text_classification.encode import head_options
from tunegate.tasks.text_classification.record import EXAMPLES, PAYLOAD
from tunegate.workspace import Workspace

Rows = Sequence[Mapping[str, str]]

PIPELINE = "demo"
SETTINGS: Mapping[str, Any] = {
    "task": "text_classification",
    "options": {},
    "tokenize": {"max_length": 32},
    "export": {},
    "evaluate": {"latency_lengths": [8, 16], "latency_repeats": 5, "resamples": 500},
    "gate": {},
}


@dataclass(frozen=True)
class Trained:
    """A workspace in which `export`, `evaluate` and `gate` can run."""

    workspace: Workspace

    @property
    def model(self) -> Path:
        return self.workspace.stage(PIPELINE, "train") / "model"

    @property
    def export(self) -> Path:
        return self.workspace.stage(PIPELINE, "export")

    def stage(self, name: str) -> Path:
        return self.workspace.stage(PIPELINE, name)

    def run(self, stage: str) -> Any:
        """The stage's report."""
        return run_stage(stage, PIPELINE, self.workspace)

    def settings(self, **sections: Mapping[str, Any]) -> None:
        """Write inputs.json with the sections changed."""
        params = {**SETTINGS, **{name: {**SETTINGS[name], **changes} for name, changes in sections.items()}}
        inputs = Inputs(pipeline=PIPELINE, params=params, environment=dict.fromkeys(_libraries(), "1"))
        inputs.write(self.workspace.inputs(PIPELINE))

    def rows(self, split: str, rows: Rows) -> None:
        """Put rows (`text`, `label`) into one of validate's tables."""
        write_table(make_records(rows, split), self.workspace.stage(PIPELINE, "validate") / f"{split}.parquet")


def make_judged(root: Path) -> Trained:
    """Trained, exported, evaluated and judged."""
    trained = make_trained(root)
    for stage in ("export", "evaluate", "gate"):
        trained.run(stage)
    return trained


def make_trained(root: Path, *, steps: int = 40, rows: int = 48, shuffled: bool = False) -> Trained:
    """Train a tiny BERT on variations of the task's examples; `shuffled` gives them each other's labels."""
    trained = Trained(Workspace(root))
    texts = make_rows(rows * 3)
    if shuffled:
        labels = [row["label"] for row in texts]
        random.Random(1).shuffle(labels)
        texts = [{**row, "label": label} for row, label in zip(texts, labels, strict=True)]
    trained.rows("train", texts[:rows])
    trained.rows("validation", texts[rows : 2 * rows])
    trained.rows("test", texts[2 * rows :])
    labels = sorted({row["label"] for row in texts})
    folder = trained.workspace.stage(PIPELINE, "validate")
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    _train(trained.model, texts[:rows], labels, steps)
    trained.settings()
    return trained


def make_rows(count: int) -> Rows:
    """Different texts, each one example's words and a few of another's with the same label."""
    rows: dict[str, str] = {}
    for number in range(10 * count):
        first = EXAMPLES[number % len(EXAMPLES)]
        same = [example for example in EXAMPLES if example["label"] == first["label"]]
        other = same[(number // len(EXAMPLES)) % len(same)]
        cut = 1 + (number // (len(EXAMPLES) * len(same))) % 4
        rows.setdefault(f"{first['text']} {' '.join(other['text'].split()[-cut:])}", first["label"])
    if len(rows) < count:
        raise ValueError(f"only {len(rows)} different rows can be made")
    made = [{"text": text, "label": label} for text, label in rows.items()]
    random.Random(0).shuffle(made)
    return made[:count]


def make_records(rows: Rows, split: str) -> pa.Table:
    """The rows as a stage's table of records."""
    full = [
        {
            "id": f"{split}-{number}",
            "split": split,
            "source": "made.csv",
            "source_line": number + 2,
            "weight": 1.0,
            "origin": "raw",
            **row,
        }
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(full, schema=record_schema(PAYLOAD))


def _train(folder: Path, rows: Rows, labels: list[str], steps: int) -> None:
    import numpy as np
    import torch
    from transformers import AutoModelForSequenceClassification

    from tunegate.text.tokens import load_tokenizer, whole_text_windows

    torch.set_num_threads(1)
    tiny_bert(folder, [row["text"] for row in rows])
    torch.manual_seed(0)
    model: Any = AutoModelForSequenceClassification.from_pretrained(
        folder, attn_implementation="eager", **head_options(labels, {})
    )
    table = pa.table({"text": [row["text"] for row in rows]})
    windows = whole_text_windows(table["text"], None, load_tokenizer(folder), 32)
    arrays = windows.batch(np.arange(len(windows)), {"input_ids": 0, "token_type_ids": 0})
    batch = {name: torch.from_numpy(array) for name, array in arrays.items()}
    truth = torch.tensor([labels.index(row["label"]) for row in rows])
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        loss = model(**batch, labels=truth).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.save_pretrained(folder)


def _libraries() -> set[str]:
    return {
        key.removeprefix("environment.")
        for stage in STAGES.values()
        for key in stage.reads
        if key.startswith("environment.")
    }
