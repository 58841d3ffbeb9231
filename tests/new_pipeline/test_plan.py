"""From a file to a plan, and from a plan to a project that holds it."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tunegate.catalogue.sets import find_set
from tunegate.errors import UserError
from tunegate.new_pipeline.plan import Request, carry_out, make_plan
from tunegate.params_file import load_pipelines
from tunegate.tasks import TASKS, options_of, record_of
from tunegate.workspace import Workspace

TASK = next(iter(TASKS))
ROWS = [f"question number {number},{'ab'[number % 2]}" for number in range(40)]
CSV = "\n".join(["text,label", *ROWS, ""])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n[cache]\n    type = copy\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text(f"pipelines:\n  shop: {{task: {TASK}, data: shop, model: models/m}}\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return Workspace(root)


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    (tmp_path / "mine.csv").write_text(CSV)
    return Request("mine", str(tmp_path / "mine.csv"), TASK, "models/m", {})


def test_rows_labels_and_splits_are_counted_as_the_run_will_see_them(workspace: Workspace, request_: Request) -> None:
    found = make_plan(workspace, request_, None).survey
    assert found.rows == 40
    assert found.labels == {"a": 20, "b": 20}
    assert sum(found.splits.values()) == 40
    assert found.first[0] == {"text": "question number 0", "label": "a"}


def test_planning_writes_nothing(workspace: Workspace, request_: Request) -> None:
    before = sorted(workspace.root.rglob("*"))
    make_plan(workspace, request_, None)
    assert sorted(workspace.root.rglob("*")) == before


def test_the_pipeline_and_its_data_are_there_afterwards(workspace: Workspace, request_: Request) -> None:
    changed = carry_out(workspace, make_plan(workspace, request_, None))
    assert (workspace.raw("mine") / "mine.csv").read_text() == CSV
    assert set(load_pipelines(workspace.params, options_of)) == {"shop", "mine"}
    assert all((workspace.root / path).is_file() for path in changed)
    assert "data/raw/mine.dvc" in changed
    assert "/mine" in (workspace.root / "data/raw/.gitignore").read_text()


def test_data_that_lies_in_the_project_is_used_where_it_is(workspace: Workspace, request_: Request) -> None:
    carry_out(workspace, make_plan(workspace, request_, None))
    second = make_plan(workspace, replace(request_, name="again", data="mine"), None)
    assert second.source is None
    assert second.settings.data == "mine"


def test_files_named_for_splits_are_taken_as_that_and_said(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("train.csv", "dev.csv", "test.csv"):
        (folder / name).write_text(CSV)
    (folder / "LICENSE").write_text("free")
    plan = make_plan(workspace, Request("mine", str(folder), TASK, "models/m", {}), None)
    assert plan.settings.ingest.files == {"train.csv": "train", "dev.csv": "validation", "test.csv": "test"}
    assert plan.survey.splits == {"train": 40, "validation": 40, "test": 40}
    assert plan.unread == ["LICENSE"]


def test_squads_files_are_recognised_by_what_they_are_and_their_splits_by_their_names(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "squad"
    folder.mkdir()
    asked = [
        {"id": str(number), "question": f"q {number}", "answers": [{"text": "x", "answer_start": 0}]}
        for number in range(30)
    ]
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        (folder / name).write_text(json.dumps({"data": [{"paragraphs": [{"context": "x y", "qas": asked}]}]}))
    (folder / "package.json").write_text("{}")
    plan = make_plan(workspace, Request("mine", str(folder), "question_answering", "models/m", {}), None)
    assert plan.survey.splits["test"] == 30 and plan.survey.rows == 60  # dev's, as there is no file for testing
    assert plan.unread == ["package.json"]
    assert plan.survey.first[0] == {
        "question": "q 0",
        "passage": "x y",
        "id": "0",
        "answers": '[{"text": "x", "start": 0}]',
    }
    carry_out(workspace, plan)
    assert "fields: [question]" in (workspace.root / "behaviour/mine.yaml").read_text()


def test_without_a_test_file_the_validation_rows_are_the_test_rows(workspace: Workspace, tmp_path: Path) -> None:
    """A set's name may stand before the split's, and other files beside them are left alone."""
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("mine-train.csv", "mine-dev.csv"):
        (folder / name).write_text(CSV)
    (folder / "train-notes.md").write_text("notes")
    plan = make_plan(workspace, Request("mine", str(folder), TASK, "models/m", {}), None)
    assert plan.settings.ingest.files == {"mine-train.csv": "auto", "mine-dev.csv": "test"}
    assert plan.settings.split.test == 0 and plan.survey.splits["test"] == 40
    assert plan.unread == ["train-notes.md"]


def test_without_a_validation_file_some_training_rows_become_validation_rows(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("train.csv", "test.csv"):
        (folder / name).write_text(CSV)
    splits = make_plan(workspace, Request("mine", str(folder), TASK, "models/m", {}), None).survey.splits
    assert splits["test"] == 40
    assert splits["validation"] > 0
    assert splits["train"] + splits["validation"] == 40


def test_what_the_test_rows_certify_is_told(workspace: Workspace, request_: Request) -> None:
    summary = make_plan(workspace, request_, None).summary()
    assert 0.1 < summary["margin"] <= 1


def test_of_a_public_set_the_catalogue_knows_columns_and_splits(
    workspace: Workspace,
) -> None:
    """Copied into data/raw by hand, so that nothing is fetched: the name decides."""
    public = find_set("banking77")
    for name in ("train.csv", "test.csv"):
        path = workspace.raw("banking77") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CSV.replace("text,label", "text,category"))
    settings = make_plan(workspace, Request("bank", "banking77", TASK, "models/m", {}), None).settings
    assert settings.ingest == public.ingest
    assert settings.split == public.split
    assert settings.data == "banking77"


def test_a_public_set_is_fetched_by_its_name(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a mirror that is no folder: the sentence is the fetcher's own."""
    monkeypatch.setenv("TUNEGATE_MIRROR", str(workspace.root / "nowhere"))
    with pytest.raises(UserError, match="is not a folder"):
        make_plan(workspace, Request("bank", "banking77", TASK, "models/m", {}), None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "shop"}, "already has a pipeline shop"),
        ({"task": "nothing"}, 'There is no task "nothing"'),
        ({"data": "nowhere.csv"}, "is no file or folder"),
        ({"columns": {"label": "team"}}, 'There is no column "team"'),
        ({"columns": {"colour": "text"}}, 'there is no field "colour"'),
        ({"model": "../x"}, "--model"),
        ({"encoding": "utf9"}, "--encoding"),
        ({"delimiter": ";;"}, "--delimiter"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_stands_in_the_way_is_a_sentence(
    workspace: Workspace, request_: Request, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        make_plan(workspace, replace(request_, **change), None)  # type: ignore[arg-type]
    assert sentence in caught.value.problem


def test_a_file_without_rows_is_a_sentence(workspace: Workspace, request_: Request, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("text,label\n")
    with pytest.raises(UserError, match="No row of"):
        make_plan(workspace, request_, None)


def test_the_labels_column_alone_is_counted(workspace: Workspace, request_: Request, tmp_path: Path) -> None:
    labels = [column.name for column in record_of(TASK).PAYLOAD if column.kind == "label"]
    assert labels
    (tmp_path / "mine.csv").write_text("text,label,colour\nx,a,red\ny,b,red\n")
    assert make_plan(workspace, request_, None).survey.labels == {"a": 1, "b": 1}


def test_a_file_of_options_becomes_a_pipeline_without_a_word_about_the_task(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [f"what is {number},{number},no,{'AB'[number % 2]}" for number in range(20)]
    (tmp_path / "quiz.csv").write_text("\n".join(["question,option1,option2,answer", *rows, ""]))
    plan = make_plan(workspace, Request("quiz", str(tmp_path / "quiz.csv"), "", "models/m", {}), None)
    assert (plan.settings.task, plan.survey.rows) == ("multiple_choice", 20)
    assert plan.settings.ingest.lists == {"options": ["option1", "option2"]}
    assert plan.settings.evaluate.behaviour == "behaviour/quiz.yaml"
    carry_out(workspace, plan)
    assert load_pipelines(workspace.params, options_of)["quiz"].ingest.lists == {"options": ["option1", "option2"]}


def test_options_without_a_question_get_no_behaviour_tests_which_would_have_no_case(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = [f"it rains {number},it rains up {number},0" for number in range(20)]
    (tmp_path / "sense.csv").write_text("\n".join(["sent0,sent1,label", *rows, ""]))
    said = {"options": "sent0,sent1", "answer": "label"}
    plan = make_plan(workspace, Request("sense", str(tmp_path / "sense.csv"), "", "models/m", said), None)
    assert plan.settings.evaluate.behaviour is None
    assert plan.settings.ingest.columns == {"answer": "label"}


def test_plain_text_is_pre_trained_on_without_behaviour_tests_which_would_change_what_is_hidden(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "texts.txt").write_text("".join(f"It rains on day {number}.\n" for number in range(40)))
    plan = make_plan(workspace, Request("texts", str(tmp_path / "texts.txt"), "", "models/m", {}), None)
    assert plan.settings.ingest.format == "lines"
    assert plan.settings.task == "pretraining"
    assert plan.settings.evaluate.behaviour is None
    assert plan.survey.rows == 40
    carry_out(workspace, plan)
    said = "margin: 0.05  # a new version's loss per hidden word may be larger by at most 0.05"
    assert said in workspace.params.read_text()
    with pytest.raises(UserError, match="a difference of losses"):
        plan.with_margin(2.0)
