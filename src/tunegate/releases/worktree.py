"""A worktree of a run's own commit: a stage runs there, and the person's tree, index and branch stay as they are."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tunegate.dvc.worktrees import forget, share_cache
from tunegate.versions.git import GitError, git
from tunegate.workspace import Workspace


@contextmanager
def worktree(workspace: Workspace, commit: str, name: str = "") -> Iterator[Workspace]:
    """The commit's tree under the state folder, gone afterwards. Waits while another process has the same one.

    `name` is its folder's, by default the beginning of the commit's.

    What a killed process left behind is cleared away first: its lock went with it.
    """
    folder = workspace.state / "worktrees" / (name or commit[:16])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _remove(workspace, folder)
        # No hooks: DVC's own post-checkout would check out every file of the commit.
        git(
            workspace.root,
            "-c",
            "core.hooksPath=/dev/null",
            "worktree",
            "add",
            "--detach",
            "--force",
            str(folder),
            commit,
        )
        try:
            tree = Workspace(folder.resolve(), workspace.state)
            share_cache(workspace, tree)
            yield tree
            forget(tree)
        finally:
            _remove(workspace, folder)


def _remove(workspace: Workspace, folder: Path) -> None:
    if folder.exists():
        try:
            git(workspace.root, "worktree", "remove", "--force", "--force", str(folder))
        except GitError:
            shutil.rmtree(folder)
    git(workspace.root, "worktree", "prune")
