"""ALBERT from own texts to served answers: a unigram vocabulary made here, factorised embeddings, shared layers."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.trained import make_rows
from tunegate.errors import UserError
from tunegate.evaluation.answers import answers_of
from tunegate.inputs import Inputs
from tunegate.models.adding import add_model
from tunegate.models.scratch import SIZES
from tunegate.new_vocabulary.making import as_source, make_vocabulary
from tunegate.new_vocabulary.texts import of_files
from tunegate.params import IngestSettings, PipelineSettings
from tunegate.predictor import Predictor
from tunegate.progress import Progress
from tunegate.records import read_table
from tunegate.stages import STAGES, run_stage
from tunegate.tasks import options_of
from tunegate.vocabulary_settings import VocabularySettings
from tunegate.workspace import Workspace

PIPELINE, TASK, ROWS = "small", "text_classification", 48
ROOT = Path(__file__).parents[2]
UP_TO_TRAIN, REST = ("ingest", "validate", "augment", "tokenize", "train"), ("export", "evaluate")
TRAIN: Mapping[str, Any] = {"epochs": 12, "batch_size": 8, "learning_rate": 1e-3, "threads": 1, "precision": "fp32"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Trained in full, exported, evaluated."""
    workspace = Workspace(tmp_path_factory.mktemp("albert"))
    (workspace.root / "dvc.yaml").write_text("stages: {}\n")
    workspace.raw("small").mkdir(parents=True)
    raw = workspace.raw("small") / "rows.jsonl"
    splits = ("train", "validation", "test")
    rows = [{**row, "split": splits[number // ROWS]} for number, row in enumerate(make_rows(3 * ROWS))]
    raw.write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = workspace.root / "texts.jsonl"
    texts.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in rows[:ROWS]))
    chosen = VocabularySettings(kind="unigram", size=150)
    with of_files([texts], IngestSettings(), Progress("vocabulary")) as own:
        vocabulary = make_vocabulary("models/own", own, chosen, {})
    with as_source(vocabulary, "albert", SIZES["tiny"]) as source:
        add_model(workspace, "own", source, replace=False)
    write_inputs(workspace)
    for stage in (*UP_TO_TRAIN, *REST):
        run_stage(stage, PIPELINE, workspace)
    return workspace


def write_inputs(workspace: Workspace, **train: Any) -> None:
    entry = {"task": TASK, "data": "small", "model": "models/own", "tokenize": {"max_length": 32}}
    entry |= {"train": {**TRAIN, **train}, "export": {"precisions": ["fp32"]}, "validate": {"min_rows": 1}}
    entry |= {"evaluate": {"latency_lengths": [8], "latency_repeats": 5, "resamples": 200}}
    params = PipelineSettings.model_validate(entry).model_dump(mode="json", by_alias=True)
    params |= {"options": options_of(TASK)().model_dump(mode="json")}
    keys = {key.removeprefix("environment.") for of in STAGES.values() for key in of.reads if "environment." in key}
    Inputs(pipeline=PIPELINE, params=params, environment=dict.fromkeys(keys, "0")).write(workspace.inputs(PIPELINE))


def test_the_net_learns_and_its_layers_are_one(workspace: Workspace) -> None:
    report = json.loads(workspace.report(PIPELINE, "evaluate").read_text())
    assert report["primary"]["value"] > 0.9
    config = json.loads((workspace.stage(PIPELINE, "train") / "model" / "config.json").read_text())
    assert (config["model_type"], config["num_hidden_layers"], config["num_hidden_groups"]) == ("albert", 2, 1)
    assert config["embedding_size"] == 128
    manifest = json.loads((workspace.stage(PIPELINE, "export") / "manifest.json").read_text())
    assert manifest["engine"] == "openvino"


def test_a_served_answer_is_the_evaluated_one(workspace: Workspace) -> None:
    test = read_table(workspace.stage(PIPELINE, "validate") / "test.parquet")
    evaluated = answers_of(workspace.stage(PIPELINE, "evaluate") / "answers.parquet", "fp32", test["id"].to_pylist())
    predictor = Predictor.open(workspace.stage(PIPELINE, "export"), "fp32")
    served = predictor.responses([{"text": text} for text in test["text"].to_pylist()])
    assert [answer["label"] for answer in served] == evaluated["label"].to_pylist()
    confidences = [answer["confidence"] for answer in served]
    assert confidences == pytest.approx(evaluated["confidence"].to_pylist(), abs=1e-4)


@pytest.fixture
def apart(workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy to train anew in."""
    shutil.copytree(workspace.root, tmp_path / "copy")
    return Workspace(tmp_path / "copy")


def test_the_head_alone_learns_from_what_was_kept_of_each_row(apart: Workspace) -> None:
    write_inputs(apart, tune="head", epochs=3, learning_rate=8e-3)
    run_stage("train", PIPELINE, apart)
    report = json.loads(apart.report(PIPELINE, "train").read_text())
    head = 128 * 128 + 128 + 2 * 128 + 2  # the pooler belongs to it
    assert report["trained_parameters"] == head
    assert report["epochs"][-1]["train_loss"] < report["epochs"][0]["train_loss"]


@pytest.mark.parametrize("change", [{"tune": "partial", "frozen_layers": 1}, {"layer_decay": 0.9}, {"kept_layers": 1}])
def test_what_treats_layers_apart_says_that_they_share_their_weights(change: dict[str, Any], apart: Workspace) -> None:
    write_inputs(apart, **change)
    with pytest.raises(UserError, match="this model's layers share their weights"):
        run_stage("train", PIPELINE, apart)


@pytest.mark.slow
def test_it_is_packaged_and_answers_over_http_as_it_was_evaluated(workspace: Workspace) -> None:
    shutil.copyfile(ROOT / "bentofile.yaml", workspace.root / "bentofile.yaml")
    run_stage("gate", PIPELINE, workspace)
    assert json.loads(workspace.report(PIPELINE, "gate").read_text())["verdict"] in ("PASS", "UNDECIDED")
    verdict = workspace.stage(PIPELINE, "gate") / "verdict.json"
    verdict.write_text(json.dumps({**json.loads(verdict.read_text()), "verdict": "PASS"}))
    run_stage("package", PIPELINE, workspace)
    report = json.loads(workspace.report(PIPELINE, "package").read_text())
    assert report["packaged"] and report["asked_rows"] == 32
    assert report["largest_difference"] < 1e-4
