"""A new data version: shown before it is written, written whole or not at all, and nobody else's work in its commit."""

import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data_versions.project import ROWS, git, make_project, write_rows
from tests.data_versions.tables import row
from tunegate.cli import run_command
from tunegate.data_versions.switching import settle, staging
from tunegate.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    (tmp_path / "project").mkdir()
    monkeypatch.setenv("TUNEGATE_STATE", str(tmp_path / "project" / ".tunegate"))
    workspace = make_project(tmp_path / "project")
    monkeypatch.chdir(workspace.root)
    return workspace


BATCH = [
    row("r001", ROWS[1]["text"], "z"),  # relabelled
    row("r002", "message 2 with a new text", ROWS[2]["label"]),  # edited
    ROWS[3],  # there already
    row("n1", "a first new message", "x"),
    row("n2", "a second new, quoted message", "y"),
]


def everything(workspace: Workspace) -> dict[str, bytes]:
    folder = workspace.raw("demo")
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return files | {
        "dvc": workspace.raw("demo.dvc").read_bytes(),
        "head": git(workspace.root, "rev-parse", "HEAD").encode(),
    }


def test_rows_of_known_ids_take_the_old_ones_place_and_the_others_come_in_a_file_of_their_own(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = write_rows(tmp_path / "week.csv", BATCH)
    assert run_command(["data", "add", "demo", str(batch), "--yes", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] and (said["updated"], said["known"]) == (2, 1)
    assert said["diff"]["counts"] == {
        "added": 2, "removed": 0, "edited": 1, "relabelled": 1, "moved": 0, "other": 0
    }  # fmt: skip
    lines = (project.raw("demo") / "rows.csv").read_text().splitlines()
    assert lines[2] == f"r001,{ROWS[1]['text']},z" and lines[3] == "r002,message 2 with a new text,z"
    assert len(lines) == 61 and lines[4] == f"r003,{ROWS[3]['text']},x"
    assert (project.raw("demo") / "week.csv").read_text().splitlines() == [
        "id,text,label", "n1,a first new message,x", 'n2,"a second new, quoted message",y'
    ]  # fmt: skip


def test_the_commit_holds_the_dvc_file_alone_and_leaves_other_staged_changes_staged(
    project: Workspace, tmp_path: Path
) -> None:
    (project.root / "mine.txt").write_text("mine")
    (project.root / "params.yaml").write_text((project.root / "params.yaml").read_text() + "# mine\n")
    git(project.root, "add", "mine.txt")
    assert run_command(["data", "add", "demo", str(write_rows(tmp_path / "b.csv", BATCH)), "--yes"]) == 0
    assert git(project.root, "show", "--name-only", "--format=").split() == ["data/raw/demo.dvc"]
    assert git(project.root, "status", "--porcelain").splitlines() == ["A  mine.txt", " M params.yaml"]
    assert "2 added" in git(project.root, "log", "-1", "--format=%B")
    tracked = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "data/raw/demo.dvc"],
        cwd=project.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "up to date" in tracked.stdout


def test_the_same_batch_again_changes_nothing(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = str(write_rows(tmp_path / "b.csv", BATCH))
    assert run_command(["data", "add", "demo", batch, "--yes"]) == 0
    before = everything(project)
    capsys.readouterr()
    assert run_command(["data", "add", "demo", batch, "--yes"]) == 0
    assert "Nothing is new" in capsys.readouterr().out and everything(project) == before


def test_without_a_yes_nothing_is_written(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(project)
    batch = str(write_rows(tmp_path / "b.csv", BATCH))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run_command(["data", "add", "demo", batch]) == 2  # no terminal to ask at
    assert "Validation would" in (shown := capsys.readouterr().out) and "Nothing has been written yet" in shown
    assert run_command(["data", "add", "demo", batch, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["written"] is False
    assert everything(project) == before and not list((project.state / "adding").iterdir())


def test_data_that_validation_would_refuse_is_written_only_anyway(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = everything(project)
    bad = str(write_rows(tmp_path / "bad.csv", [row(f"n{number}", " ", "x") for number in range(40)]))
    assert run_command(["data", "add", "demo", bad, "--yes"]) == 3
    assert "would refuse" in capsys.readouterr().err and everything(project) == before
    assert run_command(["data", "add", "demo", bad, "--yes", "--anyway"]) == 0
    assert everything(project) != before


def test_replace_makes_the_files_the_whole_data(project: Workspace, tmp_path: Path) -> None:
    fresh = write_rows(
        tmp_path / "fresh.csv", [{**one, "label": "xyz"[number % 3]} for number, one in enumerate(ROWS)][:50]
    )
    assert run_command(["data", "add", "demo", str(fresh), "--replace", "--yes"]) == 0
    assert [path.name for path in project.raw("demo").iterdir()] == ["fresh.csv"]


def test_edits_that_are_no_version_yet_are_not_mixed_in(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = project.raw("demo") / "rows.csv"
    rows.write_text(rows.read_text() + "r999,by hand,x\n")
    assert run_command(["data", "add", "demo", str(write_rows(tmp_path / "b.csv", BATCH)), "--yes"]) == 2
    assert "was edited since its last version" in capsys.readouterr().err


def test_a_file_that_no_pattern_would_read_is_refused(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "params.yaml").write_text(project.params.read_text() + "    ingest: {files: {rows.csv: auto}}\n")
    assert run_command(["data", "add", "demo", str(write_rows(tmp_path / "b.csv", BATCH)), "--yes"]) == 2
    assert "no pattern of ingest.files fits" in capsys.readouterr().err


def test_a_hook_that_refuses_the_commit_leaves_the_old_version(
    project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = project.root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    before = everything(project)
    assert run_command(["data", "add", "demo", str(write_rows(tmp_path / "b.csv", BATCH)), "--yes"]) == 2
    assert "not today" in capsys.readouterr().err and everything(project) == before
    assert git(project.root, "status", "--porcelain") == ""


KILLED = """
import os, signal, sys
from pathlib import Path
from tunegate.data_versions import switching
from tunegate.dvc.tracking import CachedFolder
from tunegate.workspace import Workspace
place = sys.argv[1]
real = getattr(switching, place, None)
def killed(*given, **named):
    if place != "_commit" and (place != "write_atomically" or given[0].suffix == ".dvc"):
        real(*given, **named)
    if place != "write_atomically" or given[0].suffix == ".dvc":
        os.kill(os.getpid(), signal.SIGKILL)
    real(*given, **named)
if real:
    setattr(switching, place, killed)
workspace = Workspace(Path.cwd())
entry = CachedFolder("0" * 32 + ".dir", 1, 1)
switching.switch(workspace, "demo", switching.staging(workspace, "demo"), entry, "new")
"""


def killed(project: Workspace, place: str) -> None:
    staged = staging(project, "demo")
    staged.mkdir(parents=True)
    (staged / "new.csv").write_text("text,label\na,x\n")
    done = subprocess.run([sys.executable, "-c", KILLED, place], cwd=project.root, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("place", ["exchange", "_commit", "write_atomically"])
def test_killed_before_the_commit_it_leaves_the_old_version_once_settled(project: Workspace, place: str) -> None:
    before = everything(project)
    killed(project, place)
    assert settle(project) == ["demo"] and settle(project) == []
    assert everything(project) == before and git(project.root, "status", "--porcelain") == ""
    assert not list((project.state / "adding").iterdir())


def test_killed_after_the_commit_it_leaves_the_new_version(project: Workspace) -> None:
    hook = project.root / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nkill -9 $(ps -o ppid= -p $PPID)\n")
    hook.chmod(0o755)
    killed(project, "nowhere")
    assert settle(project) == ["demo"]
    assert [path.name for path in project.raw("demo").iterdir()] == ["new.csv"]
    assert git(project.root, "status", "--porcelain") == "" and git(project.root, "log", "-1", "--format=%s") == "new\n"


def test_two_files_are_added_at_once_and_an_update_of_many_lines_moves_nothing(
    project: Workspace, tmp_path: Path
) -> None:
    one = write_rows(tmp_path / "one.csv", [row("r005", "two\nlines", "x")])
    two = write_rows(tmp_path / "two.csv", [row("r007", "seven again", "y")])
    assert run_command(["data", "add", "demo", str(one), str(two), "--yes"]) == 0
    lines = (project.raw("demo") / "rows.csv").read_text().splitlines()
    assert lines[6:8] == ['r005,"two', 'lines",x'] and lines[9] == "r007,seven again,y"
    assert [path.name for path in project.raw("demo").iterdir()] == ["rows.csv"]


def test_a_version_is_pushed_when_asked(project: Workspace, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "-q", "--bare", str(bare))
    git(project.root, "remote", "add", "origin", str(bare))
    git(project.root, "push", "-q", "-u", "origin", "main")
    assert run_command(["data", "add", "demo", str(write_rows(tmp_path / "b.csv", BATCH)), "--yes", "--push"]) == 0
    assert git(bare, "rev-parse", "main") == git(project.root, "rev-parse", "HEAD")
    assert len([path for path in (project.state / "store").rglob("*") if path.is_file()]) >= 3
