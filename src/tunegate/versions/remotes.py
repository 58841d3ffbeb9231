"""The git remote that a team shares: which one it is, and refs brought to and from it.

It is the one that `git config tunegate.remote` names, which the first `tunegate push` or `tunegate pull` sets
(`none`: nobody shares this clone). Until then nothing leaves the machine: a clone of somebody else's template has an
`origin` too, which is no team of ours.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tunegate.errors import UserError
from tunegate.versions.git import GitError, create_ref, git, remote
from tunegate.workspace import Workspace

SETTING = "tunegate.remote"


@dataclass(frozen=True)
class Exchanged:
    """How many refs came or went, and those that both sides have with different content."""

    refs: int
    conflicts: tuple[str, ...] = ()


def shared_remote(workspace: Workspace) -> str | None:
    """Its name; None while nobody shares this clone."""
    named = git(workspace.root, "config", "--get", "--default", "none", SETTING).strip()
    return None if named == "none" else named


def choose_remote(workspace: Workspace, asked: str | None) -> str:
    """The remote to share with from now on: the one asked for, the set one, the only one, or `origin`. Remembered.

    Raises UserError where there is none, or several and none of them is `origin`.
    """
    root = workspace.root
    known = git(root, "remote").split()
    chosen = asked or shared_remote(workspace) or (known[0] if len(known) == 1 else "origin")
    if chosen not in known:
        raise UserError(
            f'There is no git remote "{chosen}" to share with.' if known else "There is no git remote to share with.",
            f"Choose one of: {', '.join(known)}." if known else "Add one with `git remote add origin <address>`.",
        )
    git(root, "config", SETTING, chosen)
    return chosen


def push_new(workspace: Workspace, upstream: str, refs: Mapping[str, str]) -> bool:
    """Push refs that must not be there yet, all or none; whether they went. Raises OutsideError for a lost remote."""
    lease = [f"--force-with-lease={ref}:" for ref in refs]
    try:
        remote(
            workspace.root, "push", "--quiet", "--porcelain", "--no-verify", "--atomic", *lease, upstream,
            *(f"{target}:{ref}" for ref, target in refs.items()),
        )  # fmt: skip
    except GitError:
        return False
    return True


def fetch_tags(workspace: Workspace, upstream: str) -> Exchanged:
    """Bring the remote's tags. None of ours is overwritten: those that differ are named."""
    return _fetch(workspace, upstream, ["refs/tags/*"])


def fetch_all(workspace: Workspace, upstream: str) -> Exchanged:
    """Bring tags and runs."""
    return _fetch(workspace, upstream, ["refs/tags/*", "refs/exps/*"])


def _fetch(workspace: Workspace, upstream: str, patterns: list[str]) -> Exchanged:
    """Refs are compared before anything is written, so that a conflict is told by name and the rest still comes."""
    root = workspace.root
    there = _listed(remote(root, "ls-remote", "--refs", upstream, *patterns))
    here = _here(workspace)
    new = {ref: target for ref, target in there.items() if ref not in here}
    if new:
        remote(
            root, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--stdin", upstream, stdin="\n".join(new)
        )
        for ref, target in new.items():
            create_ref(root, ref, target)
    return Exchanged(len(new), tuple(sorted(ref for ref in there if here.get(ref, there[ref]) != there[ref])))


def unsent(workspace: Workspace, upstream: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Tags and runs that the remote does not have, by ref; and those that it has with other content."""
    there = _listed(remote(workspace.root, "ls-remote", "--refs", upstream, "refs/tags/*", "refs/exps/*"))
    here = _here(workspace)
    conflicts = tuple(sorted(ref for ref in here if there.get(ref, here[ref]) != here[ref]))
    return {ref: target for ref, target in here.items() if ref not in there}, conflicts


def listed_tags(workspace: Workspace, upstream: str) -> dict[str, str]:
    """Tag to the hash of its object, as the remote has them. Raises OutsideError."""
    there = _listed(remote(workspace.root, "ls-remote", "--refs", upstream, "refs/tags/*"))
    return {ref.removeprefix("refs/tags/"): target for ref, target in there.items()}


def listed_runs(workspace: Workspace, upstream: str) -> dict[str, str]:
    """Ref of each record to its commit, as the remote has them. Raises OutsideError."""
    return _listed(remote(workspace.root, "ls-remote", "--refs", upstream, "refs/exps/*"))


def push_all(workspace: Workspace, upstream: str) -> Exchanged:
    """Send every tag and run that the remote does not have."""
    new, conflicts = unsent(workspace, upstream)
    if new and not push_new(workspace, upstream, new):
        raise UserError(f"Somebody wrote to {upstream} at the same moment.", "Run `tunegate push` again.")
    return Exchanged(len(new), conflicts)


def _here(workspace: Workspace) -> dict[str, str]:
    return _listed(git(workspace.root, "for-each-ref", "--format=%(objectname)\t%(refname)", "refs/tags", "refs/exps"))


def _listed(out: str) -> dict[str, str]:
    """Ref to hash, of lines `<hash> TAB <ref>`; DVC's own working refs are nobody else's business."""
    pairs = (line.split("\t") for line in out.splitlines() if "\t" in line)
    return {ref: target for target, ref in pairs if ref.startswith("refs/tags/") or _is_run(ref)}


def _is_run(ref: str) -> bool:
    return re.fullmatch(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/[^/]+", ref) is not None
