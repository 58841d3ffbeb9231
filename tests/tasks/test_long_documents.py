"""Documents over the model's length, through the real stages: what only their middle tells is learnt and served."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.path import PIPELINE, SETTINGS
from tests.tiny import tiny_bert
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.predictor import Predictor
from tunegate.stages import STAGES, run_stage
from tunegate.tasks import options_of
from tunegate.workspace import Workspace

FILLER = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "back", "home", "again"]
WORDS = {"weather": "rain", "food": "bread"}


def document(label: str, number: int) -> str:
    """40 words of which half tell the label, none of them among the first or last ten."""
    around = [FILLER[(number + place) % len(FILLER)] for place in range(10)]
    return " ".join([*around, *[WORDS[label], FILLER[number % 7]] * 10, *around])


def finished(root: Path, how: str) -> Workspace:
    """The pipeline's stages up to evaluate, on documents of some 40 tokens in windows of 16."""
    workspace = Workspace(root)
    root.mkdir()
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    workspace.raw("tiny").mkdir(parents=True)
    rows = [{"text": document(label, number), "label": label} for label in WORDS for number in range(8)]
    with (workspace.raw("tiny") / "rows.jsonl").open("w") as file:
        for split in ("train", "validation", "test"):
            for number, row in enumerate(rows):
                file.write(json.dumps({"id": f"{split}-{number}", "split": split, **row}) + "\n")
    tiny_bert(workspace.model("models/tiny"), [row["text"] for row in rows])
    task, changed = "text_classification", {"tokenize": {"max_length": 16, "max_truncated_rate": 1.0}}
    settings = PipelineSettings.model_validate({"task": task, **SETTINGS, **changed})
    options = options_of(task).model_validate({"long_texts": how}).model_dump(mode="json")
    params = settings.model_dump(mode="json", by_alias=True) | {"options": options}
    params["train"]["epochs"] = 10
    keys = {key.removeprefix("environment.") for of in STAGES.values() for key in of.reads if "environment." in key}
    Inputs(pipeline=PIPELINE, params=params, environment=dict.fromkeys(keys, "0")).write(workspace.inputs(PIPELINE))
    for stage in ("ingest", "validate", "augment", "tokenize", "train", "export", "evaluate"):
        run_stage(stage, PIPELINE, workspace)
    return workspace


def report(workspace: Workspace, stage: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(workspace.report(PIPELINE, stage).read_text())
    return found


def test_windows_tell_what_the_middle_of_a_document_says(tmp_path: Path) -> None:
    whole = finished(tmp_path / "windows", "windows")
    tokens = report(whole, "tokenize")["splits"]["train"]
    assert (tokens["rows"], tokens["truncated_rate"]) == (16, 0.0)
    assert tokens["windows"] > 3 * tokens["rows"]
    assert report(whole, "evaluate")["primary"]["value"] == 1.0
    predictor = Predictor.open(whole.stage(PIPELINE, "export"), "fp32")
    questions = [{"text": document(label, number)} for label in WORDS for number in range(3)]
    together = predictor.responses([*questions, {"text": "bread"}])
    assert [answer["label"] for answer in together[:-1]] == ["weather"] * 3 + ["food"] * 3
    alone = [predictor.responses([question])[0] for question in questions]
    assert [answer["label"] for answer in alone] == [answer["label"] for answer in together[:-1]]


@pytest.mark.slow
def test_the_ends_of_a_document_do_not_tell_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    ends = finished(tmp_path / "ends", "head_and_tail")
    assert report(ends, "tokenize")["splits"]["train"]["truncated_rate"] == 1.0
    assert report(ends, "evaluate")["primary"]["value"] <= 0.75
