"""Which steps there are, in which order, and which are stale."""

import os

import pytest

from tests.projects import dvc, make_project, write_inputs
from tunegate.dvc.project import Hints, Project
from tunegate.errors import UserError


def reasons(workspace, pipeline="one"):
    project = Project(workspace)
    try:
        return {step.stage: project.reasons(step) for step in project.steps([pipeline])}
    finally:
        project.close()


@pytest.fixture
def done(workspace):
    """A project whose pipeline has run once."""
    dvc(workspace.root, "repro", "-q")
    assert reasons(workspace) == {"first": [], "second": []}
    return workspace


def test_steps_come_in_the_order_of_dvcs_graph_with_their_hints(workspace):
    first, second = Project(workspace).steps(["one"])
    assert (first.stage, first.pipeline, first.upstream) == ("first", "one", ())
    assert (second.address, second.upstream) == ("second@one", ("first@one",))
    assert (first.hints, second.hints) == (Hints("local", timeout_seconds=60.0), Hints(retries=1))


def test_a_pipeline_built_on_another_brings_that_ones_steps_first(tmp_path, monkeypatch):
    workspace = make_project(tmp_path, ("one", "two"))
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "dvc.yaml").open("a") as file:
        file.write(
            "  third:\n    foreach: [three]\n    do:\n      cmd: cat data/two/second/out.txt > data/third\n"
            "      deps: [data/two/second/out.txt, data/one/second/out.txt]\n      outs: [data/third]\n"
        )
    addresses = [step.address for step in Project(workspace).steps(["three"])]
    assert addresses == ["first@one", "first@two", "second@one", "second@two", "third@three"]


def test_a_step_that_never_ran_says_so(workspace):
    assert reasons(workspace) == {"first": ["it has not run yet"], "second": ["it has not run yet"]}


def test_an_unknown_pipeline_is_answered_with_the_nearest_name(workspace):
    with pytest.raises(UserError, match=r'no pipeline "one1".*Did you mean "one"'):
        Project(workspace).steps(["one1"])


def test_an_edit_that_keeps_size_and_time_is_noticed(done):
    rows = done.raw("one") / "rows.csv"
    before = rows.stat()
    with rows.open("r+") as file:  # in place: the inode stays as well
        file.write("A")
    os.utime(rows, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = rows.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert reasons(done) == {"first": ["data/raw/one changed"], "second": []}


def test_a_file_touched_without_a_change_makes_nothing_stale(done):
    os.utime(done.raw("one") / "rows.csv")
    (done.root / "second.sh").write_bytes((done.root / "second.sh").read_bytes())
    assert reasons(done) == {"first": [], "second": []}


def test_a_changed_setting_is_named_with_its_old_and_new_value(done):
    write_inputs(done, "one", second={"size": 2})
    assert reasons(done) == {"first": [], "second": ["second.size was 1, is 2"]}


def test_settings_that_a_stage_does_not_read_leave_it_alone(done):
    write_inputs(done, "one", third={"size": 2})
    assert reasons(done) == {"first": [], "second": []}


def test_changed_code_and_lost_outputs_are_told_apart(done):
    (done.root / "src/tunegate/first.py").write_text("# better\n")
    (done.stage("one", "second") / "out.txt").unlink()
    assert reasons(done) == {
        "first": ["code changed: first.py"],
        "second": ["data/one/second was changed after the run that made it"],
    }


def test_a_file_that_no_stage_reads_may_change_in_a_folder_that_others_read(done):
    (done.stage("one", "first") / "other.csv").write_text("changed\n")
    assert reasons(done)["second"] == []


def test_a_tree_without_git_is_answered_with_a_sentence(workspace):
    (workspace.root / ".git").rename(workspace.root / "git-elsewhere")
    with pytest.raises(UserError, match="not a git repository"):
        Project(workspace)


def test_the_default_remote_lies_under_the_state_folder_and_a_users_own_wins(workspace):
    Project(workspace).close()
    assert str(workspace.state / "store") in dvc(workspace.root, "config", "--list")
    dvc(workspace.root, "remote", "add", "-d", "-f", "mine", str(workspace.root / "mine"))
    (workspace.root / ".dvc/config.local").unlink()
    Project(workspace).close()
    assert "store" not in dvc(workspace.root, "remote", "list")
