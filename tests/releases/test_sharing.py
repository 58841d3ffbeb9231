"""Data, tags and runs move together: a fresh clone shows the same history and has what is live."""

from pathlib import Path

import pytest

from tests.projects import git
from tests.releases.project import change, make_project, run, versions
from tests.versions.history import ANNA, introduce
from tunegate.dvc.storage import fetch
from tunegate.errors import OutsideError, UserError
from tunegate.releases.assigning import promote
from tunegate.releases.registering import register_run
from tunegate.releases.sharing import pull, push
from tunegate.versions.references import current_references
from tunegate.versions.registry import read_registry
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

LINES: list[str] = []


@pytest.fixture
def shared(tmp_path: Path) -> Workspace:
    """A project with a live version and a refused run; `origin` and DVC's remote lie beside it."""
    workspace = make_project(tmp_path / "anna", verdict="PASS")
    (workspace.root / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = team\n['remote \"team\"']\n    url = {tmp_path / 'data'}\n"
    )
    git(workspace.root, "commit", "-qam", "Name the team's remote")
    git(workspace.root, "clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
    register_run(workspace, run(workspace), workspace)
    promote(workspace, "demo@v1.0.0", "production", who=ANNA, why="first")
    change(workspace, verdict="FAIL", rows="two\n", name="2")
    run(workspace, "demo-20260102-000000")
    return workspace


def clone(shared: Workspace, tmp_path: Path) -> Workspace:
    where = tmp_path / "ben"
    git(tmp_path, "clone", "-q", str(tmp_path / "shared.git"), str(where))
    introduce(where, "Ben")
    return Workspace(where)


def test_a_fresh_clone_shows_the_same_history_and_has_what_is_live(shared: Workspace, tmp_path: Path) -> None:
    sent = push(shared, None, LINES.append)
    assert (sent.remote, sent.refs, sent.conflicts, sent.missing, sent.private) == ("origin", 4, (), 0, False)
    ben = clone(shared, tmp_path)
    came = pull(ben, None, LINES.append)
    assert came.conflicts == () and came.missing == 0
    assert read_runs(ben) == read_runs(shared) and len(read_runs(ben)) == 2
    assert versions(ben) == versions(shared) and read_registry(ben) == read_registry(shared)
    champion = current_references(ben, "demo")["champion"]
    assert champion is not None
    (tmp_path / "data").rename(tmp_path / "gone")
    assert (fetch(ben, champion.hash, ("manifest.json", "model")) / "model").read_text() == "one\n"


def test_the_data_of_every_run_comes_only_when_it_is_asked_for(shared: Workspace, tmp_path: Path) -> None:
    push(shared, None, LINES.append)
    ben = clone(shared, tmp_path)
    first = pull(ben, None, LINES.append).objects
    rest = pull(ben, None, LINES.append, every=True).objects
    assert first > 0 and rest > 0 and pull(ben, None, LINES.append, every=True).objects == 0


def test_pushing_twice_sends_nothing_twice(shared: Workspace) -> None:
    push(shared, None, LINES.append)
    again = push(shared, None, LINES.append)
    assert (again.refs, again.objects) == (0, 0)


def test_a_rewritten_tag_is_named_and_overwrites_nobodys(shared: Workspace, tmp_path: Path) -> None:
    push(shared, None, LINES.append)
    ben = clone(shared, tmp_path)
    git(ben.root, "tag", "-f", "-a", "-m", "mine", "demo@v1.0.0", "HEAD")
    for done in (pull(ben, None, LINES.append), push(ben, None, LINES.append)):
        assert done.conflicts == ("refs/tags/demo@v1.0.0",)
    assert pull(shared, None, LINES.append).conflicts == ()


def test_a_remote_that_is_not_there_is_said_in_words(shared: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match='no git remote "upstream"'):
        push(shared, "upstream", LINES.append)
    (tmp_path / "shared.git").rename(tmp_path / "moved.git")
    with pytest.raises(OutsideError, match="remote"):
        push(shared, None, LINES.append)


def test_a_clone_that_shares_refuses_to_decide_alone(shared: Workspace, tmp_path: Path) -> None:
    push(shared, None, LINES.append)
    (tmp_path / "shared.git").rename(tmp_path / "moved.git")
    with pytest.raises(OutsideError):
        promote(shared, "demo@v1.0.0", "staging", who=ANNA, why="alone")
    assert read_registry(shared).current("demo", "staging") is None
