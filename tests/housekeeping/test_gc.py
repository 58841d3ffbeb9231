"""Many runs, then `gc`: what nothing needs is gone, and every version is whole, here and in a fresh clone."""

import os
import shutil
from io import StringIO
from pathlib import Path

import pytest

from flows.locks import alone, locked
from tests.projects import dvc, git
from tests.releases.project import as_stored, change, make_project, run, versions
from tests.versions.history import ANNA, BEN, introduce
from tunegate.cli import run_command
from tunegate.dvc.stores import Stores
from tunegate.dvc.tracking import track
from tunegate.errors import OutsideError, UserError
from tunegate.housekeeping.old_runs import Rule
from tunegate.housekeeping.plan import Plan, Wish, plan
from tunegate.inputs import Inputs, Reference
from tunegate.releases.assigning import promote
from tunegate.releases.deciding import approve
from tunegate.releases.registering import register_run
from tunegate.releases.sharing import pull, push
from tunegate.releases.verify import verify
from tunegate.versions.data_reviews import decide_data
from tunegate.versions.lineage import lineage_at
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

NOW = Wish(Rule(most=1), grace=0)
LINES: list[str] = []


@pytest.fixture(scope="module")
def _busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six runs: two versions (one live), one that waits for a person, one whose data was reviewed, refused ones."""
    base = tmp_path_factory.mktemp("busy")
    workspace = make_project(base / "anna", verdict="PASS")
    git(workspace.root, "clone", "-q", "--bare", ".", str(base / "shared.git"))
    git(workspace.root, "remote", "add", "origin", "nowhere")
    for number, verdict in enumerate(("PASS", "PASS", "FAIL", "UNDECIDED", "FAIL", "FAIL"), start=1):
        change(workspace, verdict=verdict, rows=f"rows {number}\n", name=str(number))
        track(workspace, workspace.raw("demo"))
        done = run(workspace, f"demo-2026010{number}-000000")
        if verdict == "PASS":
            register_run(workspace, done, workspace)
        if number == 1:
            promote(workspace, "demo@v1.0.0", "production", who=ANNA, why="first")
        if number == 5:
            made = lineage_at(workspace, done.commit, "demo")["validate"].made["data/demo/validate"]
            decide_data(workspace, "demo", made, "accept data", who=BEN, why="looked at it")
    return base


@pytest.fixture
def busy(_busy: Path, tmp_path: Path) -> Workspace:
    """A copy; git's and DVC's remotes lie beside it."""
    shutil.copytree(_busy, tmp_path, dirs_exist_ok=True)
    workspace = Workspace(tmp_path / "anna")
    git(workspace.root, "remote", "set-url", "origin", str(tmp_path / "shared.git"))
    with_data_remote(workspace, tmp_path)
    return workspace


def with_data_remote(workspace: Workspace, place: Path) -> None:
    config = f"[core]\n    remote = team\n['remote \"team\"']\n    url = {place / 'data'}\n"
    (workspace.root / ".dvc/config.local").write_text(config)


def names(workspace: Workspace) -> list[str]:
    return sorted(each.name.split("-")[1][-1] for each in read_runs(workspace))


def number_of(found: Plan, kind: str) -> int:
    return sum(part.number for part in found.parts if part.kind.startswith(kind))


def test_after_many_runs_every_version_is_whole_here_and_in_a_fresh_clone(busy: Workspace, tmp_path: Path) -> None:
    push(busy, None, LINES.append)
    before = {file.oid for file in lying(busy)}
    plan(busy, Wish(Rule(most=1), remote=None, grace=0)).carry_out()
    assert names(busy) == ["1", "2", "4", "5", "6"]  # 3 was refused, and is not the newest
    gone = before - {file.oid for file in lying(busy)}
    assert gone and number_of(plan(busy, Wish(Rule(most=1), remote=None, grace=0)), "") == 0
    stored = {path.parent.name + path.name for path in (tmp_path / "data/files/md5").glob("*/*")}
    assert gone.isdisjoint(stored) and stored

    git(tmp_path, "clone", "-q", str(tmp_path / "shared.git"), str(tmp_path / "ben"))
    ben = Workspace(tmp_path / "ben")
    introduce(ben.root, "Ben")
    with_data_remote(ben, tmp_path)
    pull(ben, None, LINES.append)
    assert names(ben) == names(busy) and versions(ben) == ["demo@v1.0.0", "demo@v1.1.0"]
    for clone in (busy, ben):
        assert [verify(clone, name).difference for name in versions(clone)] == [None, None]


def lying(workspace: Workspace) -> list:
    with Stores(workspace) as stores:
        return stores.cache.files()


@pytest.mark.slow
def test_a_run_that_waits_can_still_be_let_through_after_it(busy: Workspace) -> None:
    plan(busy, NOW).carry_out()
    (waiting,) = [each for each in read_runs(busy) if each.ended.verdict == "UNDECIDED"]
    dvc_checkout(busy, waiting.commit)
    as_stored(busy)
    released = approve(busy, waiting, who=BEN, why="close enough", say=LINES.append)
    shutil.rmtree(busy.state / "bentoml")  # which held a stand-in for a real Bento
    assert verify(busy, released.registered.version.name).difference is None


def dvc_checkout(workspace: Workspace, commit: str) -> None:
    """The working tree's files as that run left them."""
    git(workspace.root, "checkout", "-q", commit, "--", "dvc.lock", "fixed", "reports", "data/raw/demo.dvc")
    dvc(workspace.root, "checkout", "-q", "--force")


def test_raw_data_of_any_commit_stays_though_no_run_names_it(busy: Workspace) -> None:
    tracked = busy.raw("demo.dvc").read_text()
    track(busy, busy.raw("demo"))
    git(busy.root, "commit", "-qam", "Rows as they are now")
    kept = busy.raw("demo.dvc").read_text().split("md5: ")[1][:36]
    (busy.raw("demo") / "rows.csv").write_text("others\n")
    track(busy, busy.raw("demo"))
    git(busy.root, "commit", "-qam", "Other rows")
    plan(busy, NOW).carry_out()
    assert kept in {file.oid for file in lying(busy)} and tracked


def test_what_is_new_stays_for_a_day(busy: Workspace) -> None:
    found = plan(busy, Wish(Rule(most=1)))
    assert number_of(found, "objects") == 0 and found.young > 0
    assert "records of runs" in [part.kind for part in found.parts]


def test_the_state_folder_keeps_what_is_in_use(busy: Workspace) -> None:
    state = busy.state
    known, other = "a" * 32 + ".dir", "b" * 32 + ".dir"
    inputs = Inputs.model_validate_json(busy.inputs("demo").read_text())
    inputs.model_copy(update={"previous": Reference(hash=known)}).write(busy.inputs("demo"))
    for path in (
        f"references/{known}/facts", f"references/{other}/facts", f"references/{other}.whole/facts",
        "checkpoints/demo/old/step-00000001/run.json", "checkpoints/demo/new/step-00000002/run.json",
        "checkpoints/left/any/step-00000001/run.json", "downloads/0123456789abcdef/.a.zip.part",
        "bentoml/bentos/demo/unknown/bento.yaml", "worktrees/0123456789abcdef/dvc.yaml",
    ):  # fmt: skip
        (state / path).parent.mkdir(parents=True, exist_ok=True)
        (state / path).write_text("x")
    (state / "worktrees/0123456789abcdef.lock").touch()
    as_stored(busy)
    for path in (state / "checkpoints/demo/old").rglob("*"):
        os.utime(path, (1, 1))
    os.utime(state / "checkpoints/demo/old", (1, 1))
    busy.params.write_text("pipelines: {demo: {task: text_classification, data: demo, model: models/m}}\n")
    plan(busy, Wish(grace=0)).carry_out()
    left = {path.relative_to(state).as_posix() for path in state.rglob("*") if path.is_dir()}
    assert f"references/{known}" in left and not {f"references/{other}", f"references/{other}.whole"} & left
    assert "checkpoints/demo/new" in left and not {"checkpoints/demo/old", "checkpoints/left"} & left
    assert "downloads/0123456789abcdef" not in left
    assert "bentoml/bentos/demo/unknown" not in left and "worktrees/0123456789abcdef" not in left


def test_it_is_refused_while_a_run_is_going(busy: Workspace) -> None:
    with locked(busy, ["demo"], print), pytest.raises(OutsideError, match="demo") as caught, alone(busy):
        pass
    assert f"process {os.getpid()}" in caught.value.problem
    with alone(busy):
        pass


def test_another_peoples_remote_is_left_alone_until_their_history_is_known(busy: Workspace) -> None:
    with pytest.raises(UserError, match="Others may need"):
        plan(busy, Wish(remote=None, grace=0))
    git(busy.root, "config", "tunegate.remote", "none")
    assert number_of(plan(busy, Wish(remote=None, grace=0)), "objects in the DVC remote") == 0


def test_the_command_says_asks_and_removes_nothing_unasked(
    busy: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(busy.root)
    monkeypatch.setattr("sys.stdin", StringIO())
    before = lying(busy)
    command = ["gc", "--keep-runs", "1", "--grace", "0"]
    assert run_command([*command, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "records of runs" in said and "demo-20260104-000000 stays: waits for a person" in said
    assert run_command(command) == 2 and lying(busy) == before  # nobody answers
    assert run_command([*command, "--yes"]) == 0 and "free again" in capsys.readouterr().out
    assert len(lying(busy)) < len(before)
    assert run_command([*command, "--yes"]) == 0 and "Nothing may go." in capsys.readouterr().out


def test_a_run_after_it_restores_nothing_that_is_gone(busy: Workspace) -> None:
    """Entries of DVC's run cache whose files are gone go with them."""
    plan(busy, NOW).carry_out()
    with Stores(busy) as stores:
        there = {file.oid for file in stores.cache.files()}
        assert all(outs <= there for _, outs in stores.made_before())


def test_a_cache_that_other_clones_may_share_is_left_alone(busy: Workspace, tmp_path: Path) -> None:
    shutil.move(busy.root / ".dvc/cache", tmp_path / "cache")
    with (busy.root / ".dvc/config.local").open("a") as file:
        file.write(f"[cache]\n    dir = {tmp_path / 'cache'}\n")
    found = plan(busy, NOW)
    assert "left alone" in found.note and number_of(found, "objects") == number_of(found, "entries") == 0
