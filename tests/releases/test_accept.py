"""Equal results of changed code: written down by name and reason, refused as soon as anything else changed."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.projects import dvc, git, make_project, write_inputs
from tests.versions.history import ANNA, introduce
from tunegate.dvc.project import Project
from tunegate.errors import UserError
from tunegate.releases.accept import accept
from tunegate.releases.why import why
from tunegate.versions.decisions import read_decisions
from tunegate.versions.lineage import lineage_at
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

CODE = "src/tunegate/first.py"


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_project(tmp_path_factory.mktemp("accept") / "project")
    introduce(workspace.root, "Anna")
    dvc(workspace.root, "repro", "-q")
    git(workspace.root, "add", "--all")
    git(workspace.root, "commit", "-qm", "Made")
    return workspace.root


@pytest.fixture
def workspace(_made: Path, tmp_path: Path) -> Workspace:
    """Both stages have run; then the first one's code is edited."""
    import shutil

    shutil.copytree(_made, tmp_path / "project", symlinks=True)
    (tmp_path / "project" / CODE).write_text("# the same in other words\n")
    return Workspace((tmp_path / "project").resolve())


@contextmanager
def opened(workspace: Workspace) -> Iterator[Project]:
    with closing(Project(workspace)) as project:
        yield project


def stale(workspace: Workspace) -> dict[str, list[str]]:
    with opened(workspace) as project:
        return {step.stage: found for step in project.steps(["one"]) if (found := project.reasons(step))}


def test_accepted_code_makes_nothing_stale_and_nothing_runs(workspace: Workspace) -> None:
    assert stale(workspace) == {"first": ["code changed: first.py"]}
    made = (workspace.root / "data/one/first/rows.csv").stat().st_mtime_ns
    with opened(workspace) as project:
        done = accept(project, "one", [], who=ANNA, why="a comment")
    assert stale(workspace) == {}
    assert done.code == {"first": ("first.py",)}
    assert (workspace.root / "data/one/first/rows.csv").stat().st_mtime_ns == made


def test_who_and_why_stay_on_record_with_the_lock_that_was_made(workspace: Workspace) -> None:
    before = lineage_at(workspace, "HEAD", "one")["first"]
    with opened(workspace) as project:
        done = accept(project, "one", ["first"], who=ANNA, why="a comment")
    (decision,) = read_decisions(workspace, "one")
    assert (decision.what, decision.who, decision.why, decision.run) == ("accept", ANNA, "a comment", done.run.name)
    (run,) = read_runs(workspace, "one")
    after = lineage_at(workspace, run.commit, "one")["first"]
    assert after.made == before.made and after.read[CODE] != before.read[CODE]
    assert [(stage.state, stage.first) for stage in why(workspace, "one").stages] == [("accepted", True)]


def test_a_changed_setting_is_named_and_nothing_is_written(workspace: Workspace) -> None:
    write_inputs(workspace, "one", first={"size": 2})
    _refused(workspace, [], "first.size was 1, is 2")


def test_changed_data_is_named_and_nothing_is_written(workspace: Workspace) -> None:
    (workspace.raw("one") / "rows.csv").write_text("other rows\n")
    _refused(workspace, [], "data/raw/one changed")


def test_an_edited_output_is_named_and_nothing_is_written(workspace: Workspace) -> None:
    (workspace.root / "data/one/first/other.csv").write_text("by hand\n")
    _refused(workspace, [], "data/one/first was changed after the run that made it")


def test_a_stage_whose_code_alone_changed_may_be_named_beside_a_changed_one(workspace: Workspace) -> None:
    write_inputs(workspace, "one", second={"size": 2})
    _refused(workspace, [], "second: ")
    with opened(workspace) as project:
        accept(project, "one", ["first"], who=ANNA, why="a comment")
    assert list(stale(workspace)) == ["second"]


def test_what_is_up_to_date_has_nothing_to_accept(workspace: Workspace) -> None:
    _refused(workspace, ["second"], "second is up to date")
    _refused(workspace, ["third"], "no stage")


def test_a_reason_is_asked_for(workspace: Workspace) -> None:
    with opened(workspace) as project, pytest.raises(UserError, match="for a reason"):
        accept(project, "one", [], who=ANNA, why=" ")


def _refused(workspace: Workspace, stages: list[str], named: str) -> None:
    lock = (workspace.root / "dvc.lock").read_bytes()
    with opened(workspace) as project, pytest.raises(UserError, match=named):
        accept(project, "one", stages, who=ANNA, why="a comment")
    assert (workspace.root / "dvc.lock").read_bytes() == lock
    assert not read_runs(workspace) and not read_decisions(workspace)
