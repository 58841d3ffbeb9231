"""Push and pull: DVC's data, tags and runs together, so that a fresh clone shows the same history."""

from collections.abc import Callable
from dataclasses import dataclass

from tunegate.dvc.transfer import fetch_objects, is_private, push_objects
from tunegate.versions.git import commit_of
from tunegate.versions.lineage import kept_at
from tunegate.versions.registry import ENVIRONMENTS, read_registry
from tunegate.versions.remotes import choose_remote, fetch_all, push_all, unsent
from tunegate.versions.runs import read_runs
from tunegate.workspace import Workspace

Say = Callable[[str], None]


@dataclass(frozen=True)
class Shared:
    """What went or came. `conflicts` are refs that both sides have with other content: somebody rewrote history."""

    remote: str
    refs: int
    objects: int
    missing: int = 0  # data that the giving side does not have either
    conflicts: tuple[str, ...] = ()
    cut: int = 0  # objects that the remote had half of, after a power cut, and has whole now
    private: bool = False  # the data lies where nobody else reads it


def push(workspace: Workspace, remote: str | None, say: Say) -> Shared:
    """Data first, then the tags and runs that name it. Raises OutsideError where a remote cannot be had."""
    upstream = choose_remote(workspace, remote)
    new, _ = unsent(workspace, upstream)
    commits = [commit for ref in new if (commit := commit_of(workspace.root, ref)) is not None]
    say(f"{len(new):,} tags and runs are new to {upstream}")
    moved = push_objects(workspace, kept_at(workspace, commits))
    sent = push_all(workspace, upstream)
    private = is_private(workspace)
    return Shared(upstream, sent.refs, moved.objects, len(moved.missing), sent.conflicts, moved.cut, private)


def pull(workspace: Workspace, remote: str | None, say: Say, *, every: bool = False) -> Shared:
    """Tags and runs, then the data of what is live and of this commit (`every`: of all runs and versions)."""
    upstream = choose_remote(workspace, remote)
    came = fetch_all(workspace, upstream)
    say(f"{came.refs:,} tags and runs came from {upstream}")
    moved = fetch_objects(workspace, kept_at(workspace, _wanted(workspace, every)))
    return Shared(upstream, came.refs, moved.objects, len(moved.missing), came.conflicts, private=is_private(workspace))


def _wanted(workspace: Workspace, every: bool) -> list[str]:
    registry = read_registry(workspace)
    if every:
        return [*(run.commit for run in read_runs(workspace)), *(version.tag.commit for version in registry.versions)]
    pipelines = dict.fromkeys(version.pipeline for version in registry.versions)
    live = [registry.current(pipeline, name) for pipeline in pipelines for name in ENVIRONMENTS]
    live += [registry.best(pipeline) for pipeline in pipelines]
    head = commit_of(workspace.root, "HEAD")
    return [*(version.tag.commit for version in live if version is not None), *([head] if head else [])]
