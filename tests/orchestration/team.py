"""A team around one project: a git remote, a DVC remote, and workers in clones of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.flows.conftest import command
from tests.flows.project import make_project
from tests.projects import git
from tunegate.workspace import Workspace

POOL = "gpu"
LOST_SECONDS = 5


def make_team(folder: Path, *, url: str | None = None) -> Workspace:
    """The driver's project, whose `train` runs on the pool. `url` is DVC's remote (default: a folder)."""
    workspace = make_project(folder / "driver")
    root = workspace.root
    resources = f"resources: {{train: {{pool: {POOL}, lost_after: {LOST_SECONDS}, wait: 120}}}}"
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


@contextmanager
def worker(folder: Path, server: str, name: str = "worker") -> Iterator["subprocess.Popen[str]"]:
    """A worker in a clone of its own, with nothing in its cache; ended with the block."""
    clone = folder / name
    if not clone.is_dir():
        git(folder, "clone", "-q", str(folder / "shared.git"), str(clone))
    process = command(clone, "worker", POOL, "--device", "cpu", url=server)
    try:
        lines = []
        while "takes stages" not in (line := process.stdout.readline()):
            assert line, "".join(lines) + process.stderr.read()
            lines.append(line)
        yield process
    finally:
        process.kill()
        process.communicate()
