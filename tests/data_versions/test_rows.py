"""Single rows that need a person: quarantined ones come back repaired, wrong labels are found, versions are listed."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.data_versions.project import PARAMS, git, make_project, write_rows
from tests.data_versions.tables import row
from tests.e2e.project import make_rows
from tunegate.cli import run_command
from tunegate.data_versions.naming import settings_of
from tunegate.data_versions.suspects import find_suspects, suggestions
from tunegate.stages import run_stage
from tunegate.versions.inputs import current_inputs
from tunegate.workspace import Workspace

SUBJECTS = make_rows(240)
GOOD = [row(f"r{number:03d}", one["text"], one["label"]) for number, one in enumerate(SUBJECTS)]
LABELS = sorted({one["label"] for one in GOOD})
WRONG = {number: LABELS[(LABELS.index(GOOD[number]["label"]) + 1) % 3] for number in range(5, 240, 40)}
ROWS = [
    *({**one, "label": WRONG.get(number, one["label"])} for number, one in enumerate(GOOD)),
    row("e1", " ", "garden"),
    row("e2", "\ufffd\ufffd the rake is gone", "garden"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("TUNEGATE_STATE", str(tmp_path / ".tunegate"))
    workspace = make_project(tmp_path, ROWS, params=PARAMS)
    with (workspace.raw("demo") / "rows.csv").open("a") as file:
        file.write("b1,too,many,cells\n")
    assert run_command_in(workspace, monkeypatch, "data", "add", "demo") == 0
    git(workspace.root, "commit", "-qam", "A bad line")
    validate(workspace)
    return workspace


def run_command_in(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.chdir(workspace.root)
    return run_command([*arguments])


def validate(workspace: Workspace) -> None:
    current_inputs(workspace, "demo", settings_of(workspace, "demo")).write(workspace.inputs("demo"))
    for stage in ("ingest", "validate"):
        run_stage(stage, "demo", workspace)


def edited(path: Path, change: dict[str, dict[str, str]]) -> None:
    """The exported file with some rows' cells changed, by id (or `raw` for a line without one)."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [{**one, **change.get(one["id"] or "line", {})} for one in rows]
    write_rows(path, rows)


def test_the_quarantine_is_listed_by_rule_with_reasons(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "quarantine", "demo", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["by_rule"] == {"ENC_REPLACEMENT": 1, "ROW_LONG": 1, "TEXT_EMPTY": 1}
    assert run_command(["data", "quarantine", "demo", "--rule", "TEXT_EMPTY"]) == 0
    shown = capsys.readouterr().out
    assert "rows.csv:242 [TEXT_EMPTY]" in shown and "ROW_LONG" not in shown
    assert run_command(["data", "quarantine", "demo", "--rule", "NOPE"]) == 2


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_repaired_rows_come_back_as_a_version_that_the_next_diff_shows(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    file = tmp_path / f"repair.{ending}"
    assert run_command(["data", "quarantine", "demo", "--export", str(file)]) == 0
    if ending == "jsonl":
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        for one in rows:
            one.update({"e1": {"text": "the hedge, again"}, "e2": {"drop": "yes"}}.get(one["id"], {}))
            if one["id"] is None:
                one.update({"id": "b1", "text": "too many cells", "label": "garden"})
        file.write_text("".join(json.dumps(one) + "\n" for one in rows))
    else:
        change = {"e1": {"text": "the hedge, again"}, "e2": {"drop": "yes"}}
        edited(file, {**change, "line": {"id": "b1", "text": "too many cells", "label": "garden"}})
    capsys.readouterr()
    assert run_command(["data", "readmit", "demo", str(file), "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] and {kind: count for kind, count in said["diff"]["counts"].items() if count} == {
        "added": 1, "removed": 1, "edited": 1
    }  # fmt: skip
    lines = (project.raw("demo") / "rows.csv").read_text().splitlines()
    assert lines[241:] == ['e1,"the hedge, again",garden', ",too many cells,garden"] or lines[241:] == [
        'e1,"the hedge, again",garden', "b1,too many cells,garden"
    ]  # fmt: skip
    assert run_command(["data", "diff", "demo@HEAD~1", "demo@HEAD", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["edited"] == 1


def test_rows_left_as_they_were_make_no_version(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = git(project.root, "rev-parse", "HEAD")
    assert run_command(["data", "quarantine", "demo", "--export", str(tmp_path / "q.csv")]) == 0
    assert run_command(["data", "readmit", "demo", str(tmp_path / "q.csv"), "--yes"]) == 0
    assert "Nothing is new" in capsys.readouterr().out and git(project.root, "rev-parse", "HEAD") == head


def test_a_row_that_is_no_longer_where_the_file_says_is_not_overwritten(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "q.csv"
    assert run_command(["data", "quarantine", "demo", "--rule", "TEXT_EMPTY", "--export", str(file)]) == 0
    edited(file, {"e1": {"source_line": "17", "text": "elsewhere"}})
    assert run_command(["data", "readmit", "demo", str(file), "--yes"]) == 2
    assert "is no longer the row e1" in capsys.readouterr().err


def test_planted_label_errors_are_found_with_the_right_label_and_relabelled(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_suspects(project, "demo")
    named = {one.id: one for one in found.suspects}
    planted = {f"r{number:03d}": GOOD[number]["label"] for number in WRONG}
    planted = {one: label for one, label in planted.items() if one in named}
    assert len(planted) >= 4 and all(named[one].suggested == label for one, label in planted.items())
    assert {one.id for one in found.suspects[: len(planted)]} == planted.keys()
    file = tmp_path / "suspects.csv"
    assert run_command(["data", "suspects", "demo", "--export", str(file), "--rows", "1"]) == 0
    said = capsys.readouterr().out
    assert "may be wrong" in said and f"showing 1 of {len(found.suspects)} (--rows, --export)" in said
    assert run_command(["data", "suspects", "demo", "--export", "suspects.xls"]) == 2
    assert "Training" not in capsys.readouterr().err
    edited(file, {one: {"label": label} for one, label in planted.items()})
    capsys.readouterr()
    assert run_command(["data", "readmit", "demo", str(file), "--yes", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["diff"]["counts"]["relabelled"] == len(planted)


def test_what_the_gate_lacks_rows_for_is_what_to_label_next(project: Workspace) -> None:
    report = {
        "verdict": "UNDECIDED",
        "checks": [{"name": "floor", "verdict": "UNDECIDED", "reason": "too few rows", "more_rows": 120}],
        "slices": [{"name": "label=garden", "state": "too_small", "n": 4, "more_rows": 30}],
    }
    project.report("demo", "gate").parent.mkdir(parents=True, exist_ok=True)
    project.report("demo", "gate").write_text(json.dumps(report))
    wanted = find_suspects(project, "demo").wanted
    assert [(one.name, one.more_rows) for one in wanted] == [("floor", 120), ("label=garden", 30)]


def test_a_label_is_suggested_only_where_the_learner_is_as_sure_as_it_usually_is() -> None:
    given = np.array([0, 0, 0, 1, 1, 1])
    first = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.45])
    found = suggestions(np.stack([first, 1 - first], axis=1), given)
    assert found.tolist() == [0, 0, 1, 1, 1, 1]


def test_versions_are_listed_with_dates_sizes_and_rows(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["data", "log", "demo", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(one["subject"], one["rows"], one["rejected"]) for one in said] == [
        ("A bad line", 242, 1),
        ("Start", 242, 0),
    ]
    assert all(one["size"] > 1000 and one["files"] == 1 and one["author"] == "Ann" for one in said)
    assert run_command(["data", "log", "demi"]) == 2
    assert 'Did you mean "demo"' in capsys.readouterr().err
