"""Sets of labels in a person's file are recognised, and said with the option that reads them."""

import json
import subprocess
from pathlib import Path

import pytest

from tunegate.errors import UserError
from tunegate.new_pipeline.plan import Plan, Request, make_plan
from tunegate.workspace import Workspace

SETS = "multi_label_classification"
FLAGS = "text,bread,eggs\n" + "".join(f"row {n},{n % 2},{n // 2 % 2}\n" for n in range(40))
CELLS = "text,tags\n" + "".join(f"row {n},{['', 'eggs', 'bread; eggs'][n % 3]}\n" for n in range(40))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "params.yaml").write_text("pipelines: {}\n")
    subprocess.run(["git", "init", "-q", root], check=True)
    return Workspace(root)


def plan(workspace: Workspace, content: str, name: str = "a.csv", task: str = SETS, **said: object) -> Plan:
    path = workspace.root.parent / name
    path.write_text(content)
    columns = said.pop("columns", {})
    return make_plan(workspace, Request("mine", str(path), task, "models/m", columns, **said), None)  # type: ignore[arg-type]


def test_columns_of_0_and_1_are_named_with_their_option(workspace: Workspace) -> None:
    with pytest.raises(UserError) as caught:
        plan(workspace, FLAGS)
    assert "These hold 0 and 1 alone: bread, eggs." in caught.value.problem
    assert "--label-columns bread,eggs" in caught.value.remedy
    made = plan(workspace, FLAGS, label_columns=("bread", "eggs"))
    assert made.entry["ingest"]["label_columns"] == ["bread", "eggs"]
    assert made.survey.labels == {"bread": 20, "eggs": 20}
    assert made.survey.first[1] == {"text": "row 1", "labels": "bread"}


def test_cells_of_names_ask_for_what_stands_between(workspace: Workspace) -> None:
    with pytest.raises(UserError) as caught:
        plan(workspace, CELLS, columns={"label": "tags"})
    assert 'holds no lists but names: "bread; eggs"' in caught.value.problem
    assert '--label-delimiter ";"' in caught.value.remedy
    made = plan(workspace, CELLS, columns={"label": "tags"}, label_delimiter=";")
    assert made.entry["ingest"] == {"columns": {"labels": "tags"}, "label_delimiter": ";"}
    assert made.survey.labels == {"eggs": 26, "bread": 13}


def test_lists_under_a_task_of_one_label_lead_to_the_task_of_sets(workspace: Workspace) -> None:
    content = "".join(json.dumps({"text": f"row {n}", "label": ["eggs"]}) + "\n" for n in range(40))
    with pytest.raises(UserError, match=f"--task {SETS}"):
        plan(workspace, content, "a.jsonl", "text_classification")
    assert plan(workspace, content, "a.jsonl", columns={"label": "label"}).survey.labels == {"eggs": 40}


def test_numbers_lead_to_their_task_which_learns_them_in_their_own_measure(workspace: Workspace) -> None:
    content = "text,stars\n" + "".join(f"row {n},{n / 10}\n" for n in range(40))
    with pytest.raises(UserError, match="--task text_regression"):
        plan(workspace, content, task="text_classification", columns={"label": "stars"})
    made = plan(workspace, content, task="text_regression", columns={"label": "stars"}, margin=0.05)
    assert made.entry["options"] == {"center": 1.95, "spread": 1.15}
    assert made.entry["ingest"]["columns"] == {"score": "stars"}
    assert made.unit == "deviations"


@pytest.mark.parametrize(
    ("column", "cell", "task"), [("score", "0.5", "text_regression"), ("label", "0.5", "text_classification")]
)
def test_the_answers_name_tells_the_task_of_whole_texts(
    workspace: Workspace, column: str, cell: str, task: str
) -> None:
    content = f"text,text_b,{column}\n" + "".join(f"row {n},beside {n},{cell}\n" for n in range(40))
    assert plan(workspace, content, task="").settings.task == task
