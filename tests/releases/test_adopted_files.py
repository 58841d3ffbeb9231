"""A folder stands in for training only where it names its labels, knows the data's, and has the task's head."""

import json
from pathlib import Path

import pytest

from tests.tiny import tiny_bert
from tests.trained import PIPELINE
from tunegate.errors import UserError
from tunegate.releases.adopted_files import check_labels, labels_of, stand_in_for_training
from tunegate.stages.train import TrainReport
from tunegate.workspace import Workspace

TASK = "text_classification"


def named(folder: Path, *labels: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": "bert", "id2label": {str(number): label for number, label in enumerate(labels)}}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_labels_come_in_the_order_of_the_models_outputs(tmp_path: Path) -> None:
    many = [f"label {number}" for number in range(12)]  # 10 sorts before 2 as text
    assert labels_of(named(tmp_path, *many)) == many


@pytest.mark.parametrize("labels", [(), ("LABEL_0", "LABEL_1")])
def test_a_model_that_does_not_name_its_labels_is_asked_for_them(tmp_path: Path, labels: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match="id2label"):
        labels_of(named(tmp_path, *labels))


def test_labels_of_the_data_that_the_model_does_not_know_are_named() -> None:
    check_labels(["a", "b", "c"], ["a", "b", "c"], Path("mine"))
    with pytest.raises(UserError, match="does not know: d"):
        check_labels(["a", "b"], ["a", "b", "d"], Path("mine"))


def test_a_base_model_without_a_head_is_no_fine_tuned_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = tiny_bert(workspace.model("models/base"), ["one two"])
    with pytest.raises(UserError, match="not fine-tuned"):
        stand_in_for_training(workspace, PIPELINE, TASK, {}, folder)


def test_what_stands_in_is_what_train_leaves(tmp_path: Path) -> None:
    from transformers import BertForSequenceClassification

    workspace = Workspace(tmp_path)
    base = tiny_bert(tmp_path / "base", ["one two"])
    folder = workspace.model("models/mine")
    model = BertForSequenceClassification.from_pretrained(
        base, id2label={0: "a", 1: "b"}, label2id={"a": 0, "b": 1}, local_files_only=True
    )
    model.save_pretrained(folder)
    (folder / "tokenizer.json").write_bytes((base / "tokenizer.json").read_bytes())
    stand_in_for_training(workspace, PIPELINE, TASK, {}, folder)
    left = {path.name for path in (workspace.stage(PIPELINE, "train") / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= left
    report = TrainReport.model_validate_json(workspace.report(PIPELINE, "train").read_text())
    assert (report.tune, report.labels, report.steps) == ("adopted", 2, 0)
    assert workspace.plot(PIPELINE, "curves").read_text().startswith("step,")
