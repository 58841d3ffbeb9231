"""`tunegate versions`, `runs`, `push` and `pull` as a person types them, and as programs read them."""

import json
from pathlib import Path

import pytest

from tests.projects import git
from tests.releases.project import as_stored, change, make_project, run
from tunegate.cli import run_command
from tunegate.releases.registering import register_run
from tunegate.versions.registry import read_registry
from tunegate.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A version, and an undecided run after it."""
    workspace = make_project(tmp_path / "p", verdict="PASS")
    register_run(workspace, run(workspace), workspace)
    change(workspace, verdict="UNDECIDED", rows="two\n", name="2")
    run(workspace, "demo-20260102-000000")
    monkeypatch.chdir(workspace.root)
    return workspace


def ask(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert run_command(list(arguments)) == status
    return capsys.readouterr().out


def test_a_decision_from_the_command_line_to_live_and_back(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    as_stored(project)
    assert "undecided" in ask(capsys, "runs")
    out = ask(capsys, "versions", "approve", "demo", "--why", "checked by hand")
    assert "demo@v1.1.0 is packaged as demo:" in out and "versions promote demo@v1.1.0 production" in out
    for name in ("demo@v1.0.0", "demo@v1.1.0"):
        assert f"{name} is live" in ask(capsys, "versions", "promote", name, "production", "--why", "go")
    listed = ask(capsys, "versions", "list").splitlines()
    assert listed[1].split()[:2] == ["demo@v1.1.0", "production"] and listed[1].endswith("go")
    assert listed[2].split()[:2] == ["demo@v1.0.0", "-"]
    assert 'versions rollback demo --why "' in ask(capsys, "versions", "show", "demo@v1.1.0")
    back = json.loads(ask(capsys, "versions", "rollback", "demo", "--why", "slow", "--json"))
    assert back == {"version": "demo@v1.0.0", "environment": "production", "number": 3}
    shown = ask(capsys, "versions", "show", "demo@v1.0.0")
    assert "production #3" in shown and "slow" in shown and "data/demo/export" in shown
    runs = {each["name"]: each["decided"] for each in json.loads(ask(capsys, "runs", "--json"))["runs"]}
    assert runs["demo-20260102-000000"] == "approve"


def test_the_first_live_version_offers_no_way_back(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "versions", "promote", "demo@v1.0.0", "staging", "--why", "try")
    shown = ask(capsys, "versions", "show", "demo@v1.0.0")
    assert shown.endswith("It is live in staging.\n") and "rollback" not in shown


def test_a_misspelt_pipeline_is_answered_with_the_nearest(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("runs", "deom"), ("versions", "list", "deom")):
        assert run_command(list(words)) == 2
        assert 'no pipeline "deom". Did you mean "demo"' in capsys.readouterr().err


def test_a_version_beside_itself_is_the_same(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    out = ask(capsys, "versions", "compare", "demo@v1.0.0", "demo-20260101-000000")
    assert out.startswith("demo@v1.0.0 and demo-20260101-000000 are the same (") and out.count("\n") == 1


def test_actions_want_a_reason(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("approve", "demo"), ("reject", "demo"), ("promote", "demo@v1.0.0", "staging"), ("rollback", "demo")):
        ask(capsys, "versions", *words, status=2)
    ask(capsys, "versions", "reject", "demo", "--why", " ", status=2)
    assert len(read_registry(project).tags) == 1


def test_a_second_decision_is_told_who_was_first(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "versions", "reject", "demo-20260102-000000", "--why", "it loses b")
    assert run_command(["versions", "approve", "demo", "--why", "fine"]) == 2
    assert "Anna <anna@example.org> rejected" in capsys.readouterr().err


def test_a_deleted_tag_shows_in_the_list(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    ask(capsys, "versions", "promote", "demo@v1.0.0", "staging", "--why", "try")
    git(project.root, "tag", "-d", "demo@v1.0.0")
    assert "damaged  demo#staging#1 followed a tag that is gone" in ask(capsys, "versions", "list")
    assert json.loads(ask(capsys, "versions", "list", "--json"))["damage"]


def test_an_empty_project_says_what_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(make_project(tmp_path / "p").root)
    assert "first run that passes" in ask(capsys, "versions", "list")
    assert "`tunegate run` makes the first one" in ask(capsys, "runs")


def test_push_without_a_remote_says_how_to_add_one(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["push"]) == 2
    assert "git remote add origin" in capsys.readouterr().err


def test_push_says_what_went_where(project: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(project.root, "clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
    git(project.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
    out = ask(capsys, "push")
    assert "2 tags and runs went to origin" in out and "lies in this clone alone" in out
    assert json.loads(ask(capsys, "pull", "--json"))["conflicts"] == []
