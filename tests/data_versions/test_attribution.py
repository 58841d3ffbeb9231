"""Was it the data or the model: four numbers, and flips under the change of their row."""

from pathlib import Path

import pytest

from tests.data_versions.project import git, make_project
from tests.data_versions.tables import differ, row
from tests.service.tiny_export import tiny_export
from tunegate.cli import run_command
from tunegate.data_versions.attribution import Model, attribute, terminal

TASK = "text_classification"


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TUNEGATE_STATE", raising=False)


def always(label: str) -> Model:
    return lambda records: [label] * len(records)


def by_id(answers: dict[str, str]) -> Model:
    return lambda records: [answers.get(one, "x") for one in records["id"].to_pylist()]


BEFORE = [row(number, f"test message {number}", "x", split="test") for number in range(10)]
AFTER = [
    *BEFORE[:6],
    {**BEFORE[6], "label": "y"},
    {**BEFORE[7], "text": "quite other words than before"},
    {**BEFORE[8], "split": "train"},
    row("n", "a new test message", "y", split="test"),
]


def test_each_model_is_scored_on_each_versions_rows_and_flips_stand_under_their_rows_change(tmp_path: Path) -> None:
    diff = differ(tmp_path, BEFORE, AFTER)
    old, new = always("x"), by_id({"6": "y", "n": "y", "0": "y"})
    found = attribute(diff, TASK, old, new)
    assert (found.old_old.right, found.old_old.rows) == (9, 9)
    assert (found.old_new.right, found.old_new.rows) == (7, 9)
    assert (found.new_old.right, found.new_new.right) == (7, 8)
    assert (found.left_out_old, found.left_out_new) == (1, 0)
    flips = {one.kind: (one.rows, one.fixed, one.broken) for one in found.flips}
    assert flips == {
        "all": (9, 2, 1), "same": (6, 0, 1), "edited": (1, 0, 0), "relabelled": (1, 1, 0), "added": (1, 1, 0)
    }  # fmt: skip
    assert {(one.id, one.fixed) for one in found.flipped} == {("6", True), ("n", True), ("0", False)}
    assert found.model is not None and found.model[0] == pytest.approx(1 / 9)
    assert found.model[1] < 0 < found.model[2]
    assert "the model: +11.1 points" in terminal(found)


def test_equal_models_on_equal_rows_flip_nothing(tmp_path: Path) -> None:
    found = attribute(differ(tmp_path, BEFORE, BEFORE), TASK, always("x"), always("x"))
    assert found.data == 0 and found.model is not None and found.model[0] == 0 and not found.flipped


def test_versions_without_test_rows_have_no_accuracy(tmp_path: Path) -> None:
    rows = [{**one, "split": "train"} for one in BEFORE]
    found = attribute(differ(tmp_path, rows, rows), TASK, always("x"), always("x"))
    assert found.old_old.value is None and found.model is None and "no rows" in terminal(found)


def test_the_model_of_the_working_tree_is_compared_with_itself_and_a_version_without_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNEGATE_STATE", str(tmp_path / ".tunegate"))
    rows = [row(number, text, "food") for number, text in enumerate(["fresh bread", "warm rain", "salt soup"] * 10)]
    workspace = make_project(tmp_path, rows)
    monkeypatch.chdir(tmp_path)
    tiny_export(workspace.stage("demo", "export"))
    assert run_command(["data", "diff", "demo", "demo", "--models"]) == 0
    assert "Was it the data or the model?" in capsys.readouterr().out
    git(tmp_path, "tag", "here")
    assert run_command(["data", "diff", "here", "demo", "--models"]) == 2
    assert "here names no trained model of demo" in capsys.readouterr().err
