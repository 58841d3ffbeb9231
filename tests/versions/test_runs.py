"""A run is a commit beside the branch: with uncommitted changes in it, and nothing of the person's moved."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.projects import dvc, make_project
from tests.projects import git as shell
from tests.versions.history import commit, head, introduce, make_repository
from tunegate.errors import UserError
from tunegate.versions.git import file_at, git
from tunegate.versions.runs import Ended, StageTime, find_run, read_runs, record, record_after, run_of_verdict, snapshot
from tunegate.workspace import Workspace

ENDED = Ended(
    "support-20260101-120000",
    "support",
    "undecided",
    "UNDECIDED",
    "f" * 64,
    None,
    (StageTime("ingest", "unchanged", 0.0), StageTime("train", "ran", 12.5), StageTime("gate", "not reached", 0.0)),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_repository(tmp_path / "r")


def made(workspace: Workspace) -> list[Path]:
    """What a run leaves behind."""
    report = workspace.report("support", "gate")
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text('{"verdict": "UNDECIDED"}')
    (workspace.root / "dvc.lock").write_text("schema: '2.0'\n")
    return [report.parent, workspace.root / "dvc.lock"]


def test_a_record_holds_the_tree_before_the_run_and_what_the_run_made(workspace: Workspace) -> None:
    (workspace.root / "params.yaml").write_text("uncommitted\n")
    (workspace.root / "code.py").write_text("before\n")
    before = snapshot(workspace)
    (workspace.root / "code.py").write_text("edited meanwhile\n")
    run = record(workspace, before, ENDED, made(workspace))
    at = {name: file_at(workspace.root, run.commit, name) for name in ("params.yaml", "code.py", "dvc.lock")}
    assert at == {"params.yaml": b"uncommitted\n", "code.py": b"before\n", "dvc.lock": b"schema: '2.0'\n"}
    assert file_at(workspace.root, run.commit, "reports/support/gate.json") == b'{"verdict": "UNDECIDED"}'


def test_a_record_moves_no_branch_no_index_and_no_file(workspace: Workspace) -> None:
    (workspace.root / "params.yaml").write_text("uncommitted\n")
    files = made(workspace)
    before = shell(workspace.root, "status", "--porcelain"), shell(workspace.root, "for-each-ref", "refs/heads")
    record(workspace, snapshot(workspace), ENDED, files)
    assert (
        shell(workspace.root, "status", "--porcelain"),
        shell(workspace.root, "for-each-ref", "refs/heads"),
    ) == before


def test_what_the_run_took_away_is_gone_from_its_record(workspace: Workspace) -> None:
    files = made(workspace)
    commit(workspace.root, "with reports")
    before = snapshot(workspace)
    workspace.report("support", "gate").unlink()
    run = record(workspace, before, ENDED, files)
    assert file_at(workspace.root, run.commit, "reports/support/gate.json") is None


def test_a_record_is_read_as_it_was_kept(workspace: Workspace) -> None:
    run = record(workspace, snapshot(workspace), ENDED, made(workspace))
    assert (
        run.ended == ENDED
        and run.who == "Anna <anna@example.org>"
        and run.parent == run.baseline == head(workspace.root)
    )
    assert read_runs(workspace) == [run] == read_runs(workspace, "support") and read_runs(workspace, "other") == []
    assert find_run(workspace, run.commit[:9]) == find_run(workspace, run.name) == run
    assert run_of_verdict(workspace, "support", "f" * 64) == run
    with pytest.raises(UserError, match="Did you mean"):
        find_run(workspace, "support-20260101-120001")


def test_two_runs_of_one_second_have_two_names(workspace: Workspace) -> None:
    before, files = snapshot(workspace), made(workspace)
    names = [record(workspace, before, replace(ENDED, bento=bento), files).name for bento in ("a:1", "b:2")]
    assert names == [ENDED.name, f"{ENDED.name}-2"]


def test_what_follows_a_run_stands_on_it_and_is_listed_beside_it(workspace: Workspace) -> None:
    run = record(workspace, snapshot(workspace), ENDED, made(workspace))
    workspace.report("support", "package").write_text("{}")
    after = record_after(workspace, run, ENDED, [workspace.report("support", "package")])
    assert (after.parent, after.baseline) == (run.commit, run.baseline)
    assert file_at(workspace.root, after.commit, "reports/support/gate.json") is not None


def test_a_stray_file_over_the_limit_stops_with_a_sentence(workspace: Workspace) -> None:
    with (workspace.root / "notes.bin").open("wb") as file:
        file.truncate(25_000_000)
    with pytest.raises(UserError, match=r"notes\.bin \(25 MB\)"):
        snapshot(workspace)
    (workspace.root / ".gitignore").write_text("notes.bin\n")
    snapshot(workspace)


def test_without_a_first_commit_there_is_nothing_to_keep_a_run_beside(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    shell(root, "init", "-q")
    workspace = Workspace(root)
    with pytest.raises(UserError, match="no commit yet"):
        record(workspace, snapshot(workspace), ENDED, made(workspace))


def test_a_record_of_a_large_tree_takes_well_under_a_second(workspace: Workspace) -> None:
    for number in range(1500):
        (workspace.root / f"file{number}.txt").write_text(f"{number}\n" * 50)
    commit(workspace.root, "many files")
    (workspace.root / "params.yaml").write_text("uncommitted\n")
    start = time.process_time(), time.monotonic()
    record(workspace, snapshot(workspace), ENDED, made(workspace))
    assert time.monotonic() - start[1] < 3.0  # 0.2 s alone; the machine may be busy


def test_real_dvc_lists_runs_with_their_results_from_a_tree_with_changes(tmp_path: Path) -> None:
    workspace = make_project(tmp_path)
    introduce(tmp_path, "Anna")
    dvc(tmp_path, "add", "-q", "data/raw/one")
    commit(tmp_path, "Start")
    (tmp_path / "second.sh").write_text("echo other; tr a-z A-Z < $1 > $2\n")
    before = snapshot(workspace)
    dvc(tmp_path, "repro", "-q")
    files = [tmp_path / "dvc.lock", workspace.inputs("one"), tmp_path / "reports/one", tmp_path / "data/one/.gitignore"]
    run = record(workspace, before, ENDED, files)
    after = record_after(workspace, run, Ended("support-later", "support", "passed"), files)
    shown = json.loads(dvc(tmp_path, "exp", "show", "--json"))
    (base,) = [entry for entry in shown if entry["rev"] == head(tmp_path)]
    listed = {each["name"]: each["revs"][0] for each in base["experiments"]}
    assert listed.keys() == {run.name, after.name}
    assert listed[run.name]["rev"] == run.commit and not listed[run.name].get("error")
    assert listed[run.name]["data"]["metrics"]["reports/one/first.json"]["data"] == {"rows": 1}
    assert git(tmp_path, "branch", "--format=%(refname:short)").split() == [
        shell(tmp_path, "branch", "--show-current").strip()
    ]


def test_listing_a_thousand_runs_takes_one_git_process(workspace: Workspace) -> None:
    run = record(workspace, snapshot(workspace), ENDED, made(workspace))
    lines = "".join(f"create refs/exps/{run.baseline[:2]}/{run.baseline[2:]}/x{n} {run.commit}\n" for n in range(1000))
    git(workspace.root, "update-ref", "--stdin", stdin=lines)
    start = time.monotonic()
    assert len(read_runs(workspace)) == 1001
    assert time.monotonic() - start < 3.0
