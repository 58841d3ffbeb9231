"""Two versions side by side, from what git keeps."""

import json
from pathlib import Path

import pytest

from tests.projects import git
from tests.releases.project import change, make_project, run
from tunegate.errors import UserError
from tunegate.inputs import Inputs
from tunegate.releases.compare import Compared, compare
from tunegate.releases.registering import register_run
from tunegate.versions.agreement import disagreements
from tunegate.versions.registry import read_registry
from tunegate.versions.tags import create_tag
from tunegate.workspace import Workspace


def evaluated(workspace: Workspace, value: float, rows: str, **labels: int) -> None:
    """What evaluate would have found."""
    score = {"value": value, "low": value - 0.1, "high": value + 0.1, "lower": 0, "upper": 1, "n": sum(labels.values())}
    report = {
        "served": "fp32",
        "fingerprint": rows,
        "models": {"fp32": {"kind": "candidate", "metrics": {"accuracy": score}}},
        "classes": [{"label": name, "rows": number} for name, number in labels.items()],
    }
    path = workspace.report("demo", "evaluate")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report))


def setting(workspace: Workspace, **params: object) -> None:
    path = workspace.inputs("demo")
    Inputs.model_validate_json(path.read_text()).model_copy(update={"params": params}).write(path)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Workspace, Compared]:
    workspace = make_project(tmp_path / "p", verdict="PASS")
    evaluated(workspace, 0.8, "rows", a=10, b=5)
    setting(workspace, promote="manual", train={"epochs": 3, "rate": 0.1})
    register_run(workspace, run(workspace), workspace)
    change(workspace, verdict="FAIL", rows="two\n", name="2")
    evaluated(workspace, 0.7, "other rows", a=10, c=2)
    setting(workspace, promote="manual", train={"epochs": 5, "rate": 0.1}, evaluate={"seed": 1})
    refused = run(workspace, "demo-2")
    return workspace, compare(workspace, "demo@v1.0.0", refused.name)


def test_scores_come_with_the_intervals_of_both(two: tuple[Workspace, Compared]) -> None:
    (accuracy,) = two[1].scores
    assert (accuracy.name, accuracy.before.value, accuracy.after.value) == ("accuracy", 0.8, 0.7)
    assert accuracy.before.low == pytest.approx(0.7) and accuracy.after.n == 12


def test_scores_on_other_rows_are_told_apart(two: tuple[Workspace, Compared]) -> None:
    workspace, found = two
    assert not found.same_rows
    assert compare(workspace, "demo@v1.0.0", "demo@v1.0.0").same_rows


def test_only_settings_that_differ_are_named_with_both_values(two: tuple[Workspace, Compared]) -> None:
    assert [(each.name, each.before, each.after) for each in two[1].settings] == [
        ("train.epochs", 3, 5),
        ("evaluate.seed", None, 1),
    ]


def test_labels_are_counted_on_both_sides(two: tuple[Workspace, Compared]) -> None:
    assert [(each.name, each.before, each.after) for each in two[1].labels] == [
        ("a", 10, 10),
        ("b", 5, None),
        ("c", None, 2),
    ]


def test_what_does_not_exist_or_was_not_evaluated_is_said(two: tuple[Workspace, Compared]) -> None:
    workspace, _ = two
    with pytest.raises(UserError, match=r'no version "demo@v9\.0\.0"'):
        compare(workspace, "demo@v9.0.0", "demo-2")
    workspace.report("demo", "evaluate").unlink()
    with pytest.raises(UserError, match="never evaluated"):
        compare(workspace, "demo@v1.0.0", run(workspace, "demo-3").name)


def test_a_version_that_was_moved_to_another_verdicts_commit_is_noticed(two: tuple[Workspace, Compared]) -> None:
    workspace, found = two
    assert disagreements(workspace, read_registry(workspace)) == []
    version = read_registry(workspace).find("demo@v1.0.0")
    assert version.said is not None
    git(workspace.root, "tag", "-d", version.name)
    create_tag(workspace, version.name, "as if", version.said.model_copy(update={"commit": found.after.commit}))
    (sentence,) = disagreements(workspace, read_registry(workspace))
    assert sentence.startswith("demo@v1.0.0 was registered for the verdict")
