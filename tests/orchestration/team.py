"""A team around one project: a git remote, a DVC remote, and workers in clones of their own."""

import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.conftest import command
from tests.flows.project import make_project
from tests.projects import git
from tunegate.workspace import Workspace

LOST_SECONDS = 5


def pool_of(folder: Path) -> str:
    """A pool for this test alone: all tests share one server."""
    return f"gpu-{zlib.crc32(str(folder).encode()):x}"


def make_team(folder: Path, *, url: str | None = None) -> Workspace:
    """The driver's project, whose `train` runs on the pool. `url` is DVC's remote (default: a folder)."""
    workspace = make_project(folder / "driver")
    root = workspace.root
    resources = f"resources: {{train: {{pool: {pool_of(folder)}, lost_after: {LOST_SECONDS}, wait: 120}}}}"
    workspace.params.write_text(workspace.params.read_text().replace("models/m}", f"models/m, {resources}}}"))
    (root / ".dvc/config").write_text(
        "[core]\n    analytics = false\n    remote = team\n[cache]\n    type = copy\n"
        f"['remote \"team\"']\n    url = {url or folder / 'data'}\n"
    )
    git(root, "add", "--all")
    git(root, "commit", "-qm", "A project")
    git(root, "clone", "-q", "--bare", ".", str(folder / "shared.git"))
    git(root, "remote", "add", "origin", str(folder / "shared.git"))
    git(root, "config", "tunegate.remote", "origin")
    return workspace


def wait_for(what: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def slow_training(workspace: Workspace, folder: Path) -> Path:
    """Make `train` note each start in the file `starts` and wait for the file that is returned."""
    go = folder / "go"
    (workspace.root / "train.sh").write_text(
        f"echo x >> {folder}/starts; echo training; while [ ! -f {go} ]; do sleep 0.1; done; cp $1 $2/model.txt\n"
    )
    return go


def starts(folder: Path) -> int:
    path = folder / "starts"
    return len(path.read_text().split()) if path.is_file() else 0


@contextmanager
def worker(folder: Path, server: str, name: str = "worker") -> Iterator["subprocess.Popen[str]"]:
    """A worker in a clone of its own, with nothing in its cache; ended with the block."""
    clone = folder / name
    if not clone.is_dir():
        git(folder, "clone", "-q", str(folder / "shared.git"), str(clone))
    process = command(clone, "worker", pool_of(folder), "--device", "cpu", url=server)
    try:
        lines = []
        while "takes stages" not in (line := process.stdout.readline()):
            assert line, "".join(lines) + process.stderr.read()
            lines.append(line)
        yield process
    finally:
        process.kill()
        process.communicate()
