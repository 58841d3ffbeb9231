"""A push that is killed half way, and what a power cut leaves of it: the next push sends the rest, a clone has all."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.orchestration.faults.project import until
from tests.projects import git
from tests.releases.project import change, make_project, run, versions
from tests.versions.history import introduce
from tunegate.dvc.tracking import track
from tunegate.releases.registering import register_run
from tunegate.releases.sharing import pull, push
from tunegate.releases.verify import verify
from tunegate.workspace import Workspace

pytestmark = pytest.mark.slow
MANY = 1500  # files: enough for a push to be met in the middle


@pytest.fixture
def shared(tmp_path: Path) -> Workspace:
    """A version made of many files; `origin` and DVC's remote lie beside it, empty."""
    workspace = make_project(tmp_path / "anna", verdict="PASS")
    for number in range(MANY):
        (workspace.raw("demo") / f"{number}.csv").write_text(f"row {number}\n")
    change(workspace, verdict="PASS", rows="one\n")
    track(workspace, workspace.raw("demo"))
    (workspace.root / ".dvc/config").write_text(
        f"[core]\n    analytics = false\n    remote = team\n['remote \"team\"']\n    url = {tmp_path / 'data'}\n"
    )
    git(workspace.root, "add", "-A")
    git(workspace.root, "commit", "-qm", "Many rows, and the team's remote")
    git(workspace.root, "clone", "-q", "--bare", ".", str(tmp_path / "shared.git"))
    git(workspace.root, "remote", "add", "origin", str(tmp_path / "shared.git"))
    register_run(workspace, run(workspace), workspace)
    return workspace


def sent(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "data/files/md5").glob("*/*"))


def test_a_push_that_is_killed_half_way(shared: Workspace, tmp_path: Path) -> None:
    going = subprocess.Popen(
        [sys.executable, "-m", "tunegate.cli", "push"], cwd=shared.root, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: len(sent(tmp_path)) > 20)
    os.kill(going.pid, signal.SIGKILL)
    assert going.wait() == -signal.SIGKILL
    assert 20 < len(sent(tmp_path)) < MANY
    assert "demo@v1.0.0" not in git(shared.root, "ls-remote", "--tags", "origin")  # names go last
    half = next(path for path in sent(tmp_path) if path.stat().st_size > 3 and not path.name.endswith(".tmp"))
    half.chmod(0o644)
    half.write_bytes(half.read_bytes()[:3])  # as a power cut leaves it, under its final name
    (half.parent / ".Zx81.tmp").write_text("hal")  # and under a temporary one

    done = push(shared, None, lambda text: None)
    assert done.missing == 0 and done.cut == 1 and done.objects < MANY
    ben = Workspace(tmp_path / "ben")
    git(tmp_path, "clone", "-q", str(tmp_path / "shared.git"), str(ben.root))
    introduce(ben.root, "Ben")
    assert pull(ben, None, lambda text: None, every=True).missing == 0
    assert [verify(ben, name).difference for name in versions(ben)] == [None]
