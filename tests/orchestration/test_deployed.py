"""Deployed runs: each in a git worktree of its own, side by side, and nothing of the person's is touched."""

import pytest

from tests.projects import git
from tunegate.versions.runs import find_run, read_runs

pytestmark = pytest.mark.slow


def test_two_pipelines_run_side_by_side_and_leave_records_and_no_trees(up):
    before = git(up.root, "status", "--porcelain"), git(up.root, "rev-parse", "HEAD")
    started = [up.begin("one"), up.begin("two")]
    runs = [up.ended(run) for run in started]
    assert [run["state_name"] for run in runs] == ["Completed", "Completed"], up.logs()
    assert runs[0]["start_time"] < runs[1]["end_time"] and runs[1]["start_time"] < runs[0]["end_time"]
    for run, pipeline in zip(runs, ("one", "two"), strict=True):
        kept = find_run(up.workspace, run["name"])
        assert (kept.pipeline, kept.ended.verdict, kept.baseline) == (pipeline, "PASS", before[1].strip())
        assert [stage.state for stage in kept.ended.stages] == ["ran"] * 4
    assert (git(up.root, "status", "--porcelain"), git(up.root, "rev-parse", "HEAD")) == before
    assert not list((up.workspace.state / "worktrees").glob("run-*/"))
    assert len(git(up.root, "worktree", "list").splitlines()) == 1


def test_a_next_run_redoes_nothing_and_keeps_no_record(up):
    records = read_runs(up.workspace)
    run = up.begin("one")
    assert up.ended(run)["state_name"] == "Completed"
    tasks = up.server.post("task_runs/filter", flow_runs={"id": {"any_": [run]}})
    assert {task["state_name"] for task in tasks} == {"Unchanged"}
    assert read_runs(up.workspace) == records


def test_a_run_takes_what_is_committed_at_the_revision_it_names(up):
    (up.root / "train.sh").write_text("echo other; cat $1 $1 > $2/model.txt\n")
    run = up.begin("one", force=["train"])  # uncommitted: not for a deployed run
    assert up.ended(run)["state_name"] == "Completed" and "other" not in up.said(run)
    git(up.root, "checkout", "-q", "-b", "other")
    git(up.root, "commit", "-qam", "Train otherwise")
    git(up.root, "checkout", "-q", "-")
    run = up.begin("one", revision="other", force=["train"])
    ended = up.ended(run)
    assert ended["state_name"] == "Completed" and "other" in up.said(run)
    kept = find_run(up.workspace, ended["name"])
    assert kept.baseline == git(up.root, "rev-parse", "other").strip()
    assert {stage.name: stage.state for stage in kept.ended.stages}["train"] == "ran"


def test_a_wrong_revision_and_a_wrong_pipeline_fail_with_a_sentence(up):
    ended = up.ended(up.begin("one", revision="nowhere"))
    assert ended["state_type"] == "FAILED" and '"nowhere" is no commit' in ended["state"]["message"]
