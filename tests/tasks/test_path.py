"""Every task of the table goes the whole path: raw rows, the real stages, a perfect score on its own examples."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.perfect import plain_texts
from tests.tiny import tiny_bert
from tunegate.evaluation.findings import Findings
from tunegate.inputs import Inputs
from tunegate.params import PipelineSettings
from tunegate.predictor import Predictor
from tunegate.records import answer_columns
from tunegate.stages import STAGES, run_stage
from tunegate.tasks import TASKS, examples_of, options_of, record_of
from tunegate.validation.checks import RELATIONS
from tunegate.workspace import Workspace

PIPELINE = "tiny"
BEFORE_GATE = ("ingest", "validate", "augment", "tokenize", "train", "export", "evaluate")
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


WAYS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    *((task, {}) for task in TASKS),
    ("multiple_choice", {"form": "joint"}),
)
"""Every task as it is by default, and with settings that give it another head."""


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: " ".join((way[0], *map(str, way[1].values()))))
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Its stages up to evaluate, run on the task's own examples as JSON lines."""
    (task, chosen), root = request.param, tmp_path_factory.mktemp("path")
    workspace = Workspace(root)
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    examples = record_of(task).EXAMPLES
    workspace.raw("tiny").mkdir(parents=True)
    with (workspace.raw("tiny") / "rows.jsonl").open("w") as file:
        for split in ("train", "validation", "test"):
            for number, row in enumerate(examples):
                file.write(json.dumps({"id": f"{split}-{number}", "split": split, **row}) + "\n")
    tiny_bert(workspace.model("models/tiny"), plain_texts(examples_of(record_of(task))))
    settings = PipelineSettings.model_validate({"task": task, **SETTINGS})
    options = options_of(task).model_validate(chosen).model_dump(mode="json")
    params = settings.model_dump(mode="json", by_alias=True) | {"options": options}
    keys = {key.removeprefix("environment.") for of in STAGES.values() for key in of.reads if "environment." in key}
    Inputs(pipeline=PIPELINE, params=params, environment=dict.fromkeys(keys, "0")).write(workspace.inputs(PIPELINE))
    for stage in BEFORE_GATE:
        run_stage(stage, PIPELINE, workspace)
    return workspace


def task_of(workspace: Workspace) -> str:
    return str(json.loads(workspace.inputs(PIPELINE).read_text())["params"]["task"])


def test_its_own_examples_are_learned_to_a_perfect_score(workspace: Workspace) -> None:
    found = Findings.model_validate_json(workspace.report(PIPELINE, "evaluate").read_text())
    best = 1.0 if found.higher_is_better else 0.0
    assert found.primary.value == pytest.approx(best, abs=0.05)
    assert found.rows == len(record_of(task_of(workspace)).EXAMPLES)


def test_a_gate_can_judge_it(workspace: Workspace) -> None:
    run_stage("gate", PIPELINE, workspace)
    report = json.loads(workspace.report(PIPELINE, "gate").read_text())
    verdicts = {check["name"]: check["verdict"] for check in report["checks"]}
    assert verdicts["data"] == "FAIL"  # the same rows stand on every side, which a gate must notice
    assert {name.partition(":")[0] for name in verdicts} >= {"data", "baseline", "calibration"}


def test_it_answers_a_question_alone_as_among_others_in_the_words_of_its_answer(workspace: Workspace) -> None:
    part = record_of(task_of(workspace))
    fields = part.Record.model_fields
    questions = [{name: value for name, value in row.items() if name in fields} for row in part.EXAMPLES]
    predictor = Predictor.open(workspace.stage(PIPELINE, "export"), "fp32")
    together = predictor.responses(questions, with_scores=True)
    assert all(part.Answer.model_validate(answer) for answer in together)
    alone = [predictor.responses([question], with_scores=True)[0] for question in questions]
    assert [rounded(answer) for answer in alone] == [rounded(answer) for answer in together]


def rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 3) if isinstance(value, float) else value


def test_rows_with_a_wrong_answer_are_rejected_and_the_others_stay(workspace: Workspace, tmp_path: Path) -> None:
    part = record_of(task_of(workspace))
    wrong = answer_columns(part.PAYLOAD)[0]
    needed = next((column.name for column in part.PAYLOAD if column.required and column.name == wrong), "text")
    rows = [*part.EXAMPLES[:3], {**part.EXAMPLES[0], wrong: {"no": ["answer"]}}, {**part.EXAMPLES[0], needed: None}]
    from tunegate.params import IngestSettings, SplitSettings
    from tunegate.progress import Progress
    from tunegate.records import read_table
    from tunegate.stages.ingest import ingest
    from tunegate.text.readers import file_of

    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = IngestSettings()
    file = file_of(path, settings)
    report = ingest([file], part.PAYLOAD, settings, SplitSettings(), tmp_path, Progress("ingest"))
    assert (report.rows, report.rejected) == (3, 2)
    assert sorted(read_table(tmp_path / "rejects.parquet")["source_line"].to_pylist()) == [4, 5]


NASTY = [
    "\x00",
    "\u200b",
    "[SEP] [CLS]",
    "👩‍👩‍👧",
    "ﷺ" * 3,
    "a" * 4000,
    "\u202eabc",
    "' OR 1=1 --",
    "<script>",
    "𝕒𝕓𝕔",
    "\n\t ",
]


def test_nasty_texts_are_answered_or_refused_with_a_reason(workspace: Workspace) -> None:
    from tunegate.asked import Mistake, check_question

    part = record_of(task_of(workspace))
    predictor = Predictor.open(workspace.stage(PIPELINE, "export"), "fp32")
    for text in NASTY:
        asked = check_question(nasty(part.EXAMPLES[0], part.Record.model_fields, text), part.Record, {})
        if isinstance(asked, Mistake):
            assert asked.message
        else:
            (answer,) = predictor.responses([asked])
            assert part.Answer.model_validate(answer)


def nasty(example: Mapping[str, Any], fields: Any, text: str) -> dict[str, Any]:
    """The example with the text in every place where a text stands."""

    def replaced(value: Any) -> Any:
        if isinstance(value, str):
            return text
        return [replaced(inner) for inner in value] if isinstance(value, list) else value

    return {name: replaced(value) for name, value in example.items() if name in fields}
