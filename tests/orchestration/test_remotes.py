"""DVC remotes of every kind that the docs name: results go there, and a fresh clone brings just what it needs."""

from pathlib import Path

import pytest

from tests.orchestration.servers import REMOTES, Remote
from tests.projects import git, make_project
from tunegate.dvc.objects import Objects
from tunegate.dvc.project import Step
from tunegate.dvc.running import Listener, run_step
from tunegate.dvc.worktrees import bring_inputs
from tunegate.errors import OutsideError
from tunegate.releases.sharing import pull, push
from tunegate.versions.runs import Ended, record, snapshot
from tunegate.workspace import Workspace

RAW = "a row of one\n" * 1000
QUIET: list[str] = []


def name_remote(workspace: Workspace, remote: Remote) -> None:
    """In the clone's own settings: passwords have no place in git."""
    lines = ["[core]", "    remote = team", "['remote \"team\"']", *(f"    {key} = {remote[key]}" for key in remote)]
    (workspace.root / ".dvc/config.local").write_text("\n".join(lines) + "\n")


def brought(workspace: Workspace) -> dict[str, int]:
    """Objects in the clone's cache: hash to bytes."""
    files = [path for path in (workspace.root / ".dvc/cache/files/md5").rglob("*") if path.is_file()]
    return {path.parent.name + path.name: path.stat().st_size for path in files}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind != "folder")) for kind in REMOTES]
)
def test_a_fresh_clone_brings_what_a_stage_reads_and_no_byte_more(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "server/home"))  # of an SSH client's known hosts
    with REMOTES[kind](tmp_path / "server") as remote:
        anna = make_project(tmp_path / "anna")
        (anna.raw("one") / "rows.csv").write_text(RAW)
        git(anna.root, "add", "--all")
        git(anna.root, "commit", "-qm", "A project")
        name_remote(anna, remote)
        before = snapshot(anna)
        for stage in ("first", "second"):
            run_step(anna, Step(stage, "one"), Listener(QUIET.append))
        record(anna, before, Ended("one-1", "one", "passed"), [anna.root / "dvc.lock", anna.root / "reports"])
        git(anna.root, "add", "--all")
        git(anna.root, "commit", "-qm", "A run")
        git(anna.root, "clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
        git(anna.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
        sent = push(anna, "origin", QUIET.append)
        assert (sent.objects, sent.missing, sent.private) == (5, 0, False)  # of each stage listing and files

        ben = Workspace(tmp_path / "ben")
        git(tmp_path, "clone", "-q", str(tmp_path / "shared.git"), str(ben.root))
        name_remote(ben, remote)
        bring_inputs(ben, Step("second", "one"))
        listing, rows = sorted(brought(ben).items(), key=lambda item: item[1])
        assert listing[0].endswith(".dir") and rows[1] == len(RAW)
        assert listing[1] + rows[1] < sum(brought(anna).values())
        run_step(ben, Step("second", "one"), Listener(QUIET.append))
        assert (ben.stage("one", "second") / "out.txt").read_text() == RAW.upper()

        came = pull(ben, None, QUIET.append, every=True)
        assert (came.objects, came.missing) == (1, 0)  # the one file that no stage had read here
    if kind != "folder":
        with Objects(ben) as objects, pytest.raises(OutsideError, match="remote team cannot be read"):
            objects.look()
