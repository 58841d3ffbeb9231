"""A pipeline whose base model is what another one trained: masked words on own texts first, then the task."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.stages.prepared import PIPELINE, prepare
from tunegate.inputs import Inputs, read_inputs
from tunegate.params import PipelineSettings
from tunegate.progress import Progress
from tunegate.records import record_schema, write_table
from tunegate.stages import run_stage
from tunegate.stages.train import TrainReport
from tunegate.tasks import examples_maker_of, options_of, record_of
from tunegate.workspace import Workspace, write_atomically

ROOT = Path(__file__).parents[2]
OWN_WORDS, FILLING = "own-words", "pretraining"
TRAIN = {"epochs": 4, "batch_size": 4, "learning_rate": 1e-3, "threads": 1, "precision": "fp32", "checkpoint_steps": 4}


def learn_words(root: Path, **train: object) -> tuple[Workspace, TrainReport]:
    """A workspace whose pipeline `own-words` has learnt the texts of the other one."""
    workspace = prepare(root)
    texts = [row["text"] for row in record_of("text_classification").EXAMPLES]
    rows = {split: [{"text": text} for text in texts] for split in ("train", "validation")}
    return workspace, learn(workspace, OWN_WORDS, FILLING, "models/tiny", rows, **train)


def learn(
    workspace: Workspace,
    pipeline: str,
    task: str,
    model: str,
    rows: Mapping[str, Sequence[Mapping[str, Any]]],
    **train: object,
) -> TrainReport:
    """A pipeline beside the other one, from its rows by split to its weights."""
    part, options = record_of(task), options_of(task)().model_dump(mode="json")
    schema = record_schema(part.PAYLOAD)
    for stage, split in (("augment", "train"), ("validate", "validation")):
        full = [
            {"id": f"{split}-{number}", "split": split, "source": "x", "source_line": number, "weight": 1.0}
            | {"origin": "raw", **row}
            for number, row in enumerate(rows[split])
        ]
        table, make = _table(full, schema), examples_maker_of(part)
        made = make(table, options, str) if make else table
        write_table(made, workspace.stage(pipeline, stage) / f"{split}.parquet")
    for name, value in (("labels", []), ("verdict", {"accepted": True, "reasons": []})):
        write_atomically(workspace.stage(pipeline, "validate") / f"{name}.json", json.dumps(value))
    entry = {"task": task, "data": "x", "model": model, "tokenize": {"max_length": 32}, "train": {**TRAIN, **train}}
    params = PipelineSettings.model_validate(entry).model_dump(mode="json", by_alias=True) | {"options": options}
    environment = {"tokenizers": "0", "torch": "0", "transformers": "0"}
    Inputs(pipeline=pipeline, params=params, environment=environment).write(workspace.inputs(pipeline))
    run_stage("tokenize", pipeline, workspace)
    return train_it(workspace, pipeline)


def _table(rows: list[Mapping[str, Any]], schema: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def train_it(workspace: Workspace, pipeline: str) -> TrainReport:
    report = run_stage("train", pipeline, workspace)
    assert isinstance(report, TrainReport)
    return report


def on_top(workspace: Workspace, model: str, **train: object) -> TrainReport:
    """The other pipeline, trained on that base model."""
    inputs = read_inputs(workspace.inputs(PIPELINE))
    params = {**inputs.params, "model": model, "train": {**inputs.params["train"], **train}}
    inputs.model_copy(update={"params": params}).write(workspace.inputs(PIPELINE))
    run_stage("tokenize", PIPELINE, workspace)
    return train_it(workspace, PIPELINE)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, TrainReport]:
    return learn_words(tmp_path_factory.mktemp("chain"))


def test_a_task_starts_from_the_encoder_that_learnt_the_words(learnt: tuple[Workspace, TrainReport]) -> None:
    from safetensors.numpy import load_file

    workspace, _ = learnt
    report = on_top(workspace, f"{OWN_WORDS}/train", epochs=1, learning_rate=1e-9)
    assert report.new_weights == [
        "bert.pooler.dense.bias",
        "bert.pooler.dense.weight",
        "classifier.bias",
        "classifier.weight",
    ]
    assert all(name.startswith("cls.predictions") for name in report.unused_weights)
    name = "bert.encoder.layer.0.output.dense.weight"
    first, then = (load_file(workspace.stage(of, "train") / "model/model.safetensors") for of in (OWN_WORDS, PIPELINE))
    assert abs(first[name] - then[name]).max() < 1e-6
    base = load_file(workspace.model("models/tiny") / "model.safetensors")
    assert abs(first[name] - base[name.removeprefix("bert.")]).max() > 1e-4


def test_words_then_blanks_then_the_task_is_a_chain_of_three(learnt: tuple[Workspace, TrainReport]) -> None:
    """Between two tasks that fill in words the head goes along; the third takes the encoder."""
    from safetensors.numpy import load_file

    workspace, _ = learnt
    texts = [row["text"].split() for row in record_of("text_classification").EXAMPLES]
    rows = [{"text": " ".join(["_", *words[1:]]), "words": words[:1]} for words in texts]
    split = {"train": rows, "validation": rows[:3]}
    filled = learn(workspace, "blanks", "open_cloze", f"{OWN_WORDS}/train", split, base_head="kept", learning_rate=1e-9)
    assert (filled.new_weights, filled.unused_weights) == ([], ())
    first, then = (load_file(workspace.stage(of, "train") / "model/model.safetensors") for of in (OWN_WORDS, "blanks"))
    assert all(abs(first[name] - then[name]).max() < 1e-6 for name in first)
    report = on_top(workspace, "blanks/train", epochs=1, learning_rate=1e-9)
    last = load_file(workspace.stage(PIPELINE, "train") / "model/model.safetensors")
    encoder = [name for name in then if name.startswith("bert.")]
    assert all(abs(last[name] - then[name]).max() < 1e-6 for name in encoder)
    assert {*report.new_weights} == {*last} - {*encoder}


def test_a_classifiers_rows_are_taken_over_by_their_labels_names(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    workspace = prepare(tmp_path)
    run_stage("tokenize", PIPELINE, workspace)
    train_it(workspace, PIPELINE)
    shutil.copytree(workspace.stage(PIPELINE, "train"), workspace.stage("older", "train"))
    labels = ["art", "food", "weather"]  # one is new, and the others have other numbers
    write_atomically(workspace.stage(PIPELINE, "validate") / "labels.json", json.dumps(labels))
    report = on_top(workspace, "older/train", epochs=1, learning_rate=1e-9)
    (effect,) = report.effects
    assert effect.setting == "train.base_head"
    assert effect.what == "2 of 3 labels start from the base model's own rows, by name; art starts random"
    older, newer = (
        load_file(workspace.stage(of, "train") / "model/model.safetensors")["classifier.weight"]
        for of in ("older", PIPELINE)
    )
    assert abs(newer[1:] - older).max() < 1e-6  # food and weather were 0 and 1
    renewed = on_top(workspace, "older/train", epochs=1, learning_rate=1e-9, base_head="new")
    assert {"classifier.bias", "classifier.weight"} <= {*renewed.new_weights, *renewed.reinitialised_weights}
    newer = load_file(workspace.stage(PIPELINE, "train") / "model/model.safetensors")["classifier.weight"]
    assert abs(newer[1:] - older).max() > 1e-3


def test_a_killed_pre_training_goes_on_with_the_same_masks_to_the_same_weights(
    learnt: tuple[Workspace, TrainReport], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "tests.stages.killed_words", str(tmp_path), "6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    said: list[str] = []
    monkeypatch.setattr(Progress, "say", lambda self, text: said.append(text))
    report = train_it(Workspace(tmp_path), OWN_WORDS)
    assert any(text.startswith("resuming at step 4 of 12 ") for text in said)
    assert report.weights_sha256 == learnt[1].weights_sha256
    assert report.epochs == learnt[1].epochs


def test_dvc_sees_that_one_pipeline_is_built_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunegate.dvc.project import Project
    from tunegate.pipelines import pipelines_of

    (tmp_path / ".dvc").mkdir()
    for name in ("dvc.yaml", ".dvc/config"):
        shutil.copy(ROOT / name, tmp_path / name)
    entries = {
        "tickets": {"task": "text_classification", "data": "tickets", "model": f"{OWN_WORDS}/train"},
        OWN_WORDS: {"task": FILLING, "data": "texts", "model": "models/tiny"},
    }
    (tmp_path / "params.yaml").write_text(json.dumps({"pipelines": entries}))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    workspace = Workspace(tmp_path)
    assert set(pipelines_of(workspace)) == set(entries)
    steps = {step.address: step for step in Project(workspace).steps(["tickets"])}
    assert f"train@{OWN_WORDS}" in steps["tokenize@tickets"].upstream
    assert f"train@{OWN_WORDS}" in steps["train@tickets"].upstream
    assert list(steps).index(f"train@{OWN_WORDS}") < list(steps).index("tokenize@tickets")
