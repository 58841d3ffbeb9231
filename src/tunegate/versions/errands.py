"""A stage asked of another machine and answered by it, as commits under refs of the shared git remote.

    refs/tunegate/asked/<commit>     the tree that the stage is to run on; its message names where to answer
    refs/tunegate/answers/<name>     that tree with dvc.lock and reports as the stage left them; first come, first kept

Both go away once the answer is taken. An answer that nobody took (who asked, died) is there for the next who asks the
same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tunegate.errors import OutsideError
from tunegate.versions.git import commit_tree, file_at, git, remote, write_tree
from tunegate.versions.remotes import push_new
from tunegate.versions.runs import Snapshot
from tunegate.workspace import Workspace

ASKED, ANSWERS = "refs/tunegate/asked/", "refs/tunegate/answers/"
MESSAGE = re.compile(
    r"^(?P<what>.+), asked of another machine\n\nAnswer: (?P<name>[0-9a-z-]+)( forced)?$", re.MULTILINE
)


@dataclass(frozen=True)
class Asked:
    """`name` is where to answer; `forced` whatever was made before."""

    what: str
    name: str
    forced: bool = False

    def message(self) -> str:
        return f"{self.what}, asked of another machine\n\nAnswer: {self.name}{' forced' if self.forced else ''}\n"


def ask(workspace: Workspace, upstream: str, tree: Snapshot, asked: Asked) -> str:
    """Push the tree for somebody to work on. Returns the commit."""
    commit = commit_tree(workspace.root, tree.tree, [tree.head] if tree.head else [], asked.message())
    _push(workspace, upstream, f"{commit}:{ASKED}{commit}")
    return commit


def fetch_asked(workspace: Workspace, upstream: str, commit: str) -> Asked:
    """Bring the tree. Raises OutsideError where nobody asks that any more."""
    remote(workspace.root, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", upstream, f"{ASKED}{commit}")
    found = MESSAGE.match(git(workspace.root, "show", "--no-patch", "--format=%B", commit))
    if found is None:
        raise OutsideError(f"The commit {commit[:10]} asks for nothing.", "Run again from where it was asked.")
    return Asked(found["what"], found["name"], found[3] is not None)


def answer(tree: Workspace, upstream: str, commit: str, name: str, made: Iterable[Path]) -> str:
    """Push what was made on top of the asked commit, whose worktree `tree` is. An answer already there is as good."""
    root = tree.root
    content = write_tree(root, commit, made)
    answered = commit_tree(root, content, [commit], f"Answer {name}\n")
    push_new(tree, upstream, {f"{ANSWERS}{name}": answered})
    return answered


def lock_answered(workspace: Workspace, upstream: str, name: str) -> bytes | None:
    """The dvc.lock of the answer; None where there is none yet. Raises OutsideError where the remote cannot be had."""
    listed = remote(workspace.root, "ls-remote", "--refs", upstream, f"{ANSWERS}{name}").split()
    if not listed:
        return None
    remote(workspace.root, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", upstream, listed[1])
    return file_at(workspace.root, listed[0], "dvc.lock")


def under_way(workspace: Workspace, upstream: str) -> list[str]:
    """The commits of everything that is asked or answered now, brought here. Raises OutsideError."""
    listed = remote(workspace.root, "ls-remote", "--refs", upstream, f"{ASKED}*", f"{ANSWERS}*").split()
    if listed:
        remote(workspace.root, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", upstream, *listed[1::2])
    return listed[::2]


def forget(workspace: Workspace, upstream: str, name: str, commit: str | None) -> None:
    """Take away the answer, and what was asked. What is left behind costs a ref, no more."""
    wanted = [f"{ANSWERS}{name}", *([f"{ASKED}{commit}"] if commit else [])]
    there = remote(workspace.root, "ls-remote", "--refs", upstream, *wanted).split()[1::2]
    if there:
        _push(workspace, upstream, *(f":{ref}" for ref in there))


def _push(workspace: Workspace, upstream: str, *refs: str) -> None:
    remote(workspace.root, "push", "--quiet", "--porcelain", "--no-verify", upstream, *refs)
