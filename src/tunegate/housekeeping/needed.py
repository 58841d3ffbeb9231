"""Which objects of DVC's must stay: everything that a kept commit, a tag or a working tree names.

Hashes are read from `dvc.lock`, `.dvc` files and `inputs.json` as text: what names one too many keeps a file too many,
and a file that cannot be parsed loses none.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tunegate.versions.git import git, git_bytes
from tunegate.versions.registry import read_registry
from tunegate.versions.runs import Run
from tunegate.workspace import Workspace

HASH = re.compile(rb"\b([0-9a-f]{32}\.dir|(?<=md5: )[0-9a-f]{32})\b")
INPUTS = re.compile(r"data/[^/]+/inputs\.json")


@dataclass(frozen=True)
class Needed:
    """`objects` name folders without their files. `why`: what keeps them, in words, with how many of each."""

    objects: frozenset[str]
    why: dict[str, int] = field(default_factory=dict)


def needed(workspace: Workspace, without: Iterable[Run] = (), also: Iterable[str] = ()) -> Needed:
    """By all refs but the records `without`, the commits `also`, all worktrees, and history of what people put in."""
    left_out = {run.commit for run in without}
    refs = {name: commit for name, commit in _refs(workspace) if commit not in left_out or "refs/exps/" not in name}
    trees = worktrees(workspace)
    registry = read_registry(workspace)
    commits = dict.fromkeys([*refs.values(), *_heads(workspace), *also])
    blobs = dict.fromkeys(blob for commit in commits for blob in _naming(workspace, commit))
    sources = [blob for blob in dict.fromkeys(_sources(workspace)) if blob not in blobs]
    contents = [*_blobs(workspace, [*blobs, *sources]), *(text for tree in trees for text in _files(tree))]
    objects = {found.decode() for content in contents for found in HASH.findall(content)}
    said = [tag.message for tag in registry.tags if tag.message is not None]
    objects |= {value for each in said for value in (each.export, each.validated) if value}
    why = {
        "versions": len(registry.versions),
        "records of runs": sum(name.startswith("refs/exps/") for name in refs),
        "branches and other tags": sum(not name.startswith("refs/exps/") for name in refs) - len(registry.versions),
        "working trees": len(trees),
        "earlier versions of raw data and base models": len(sources),
    }
    return Needed(frozenset(objects), why)


def worktrees(workspace: Workspace) -> list[Path]:
    """The project in every working tree of the repository, the person's own first."""
    listed = git(workspace.root, "worktree", "list", "--porcelain", "-z").split("\0")
    found = [Path(line.removeprefix("worktree ")) for line in listed if line.startswith("worktree ")]
    return list(dict.fromkeys([workspace.root, *(path.resolve() for path in found if path.is_dir())]))


def _refs(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """Every ref that leads to a commit, and that commit."""
    fields = "%(refname) %(objecttype) %(objectname) %(*objecttype) %(*objectname)"
    for line in git(workspace.root, "for-each-ref", f"--format={fields}").splitlines():
        name, *kinds = line.split(" ")
        inner = dict(zip(kinds[::2], kinds[1::2], strict=True))
        if "commit" in inner:
            yield name, inner["commit"]


def _heads(workspace: Workspace) -> list[str]:
    listed = git(workspace.root, "worktree", "list", "--porcelain", "-z").split("\0")
    heads = [line.removeprefix("HEAD ") for line in listed if line.startswith("HEAD ")]
    return [head for head in heads if head.strip("0")]


def _naming(workspace: Workspace, commit: str) -> Iterator[str]:
    """The files of a commit that name objects, as git keeps them."""
    for line in git(workspace.root, "ls-tree", "-r", "-z", commit).split("\0"):
        facts, _, path = line.partition("\t")
        if path == "dvc.lock" or path.endswith(".dvc") or INPUTS.fullmatch(path):
            yield facts.split(" ")[2]


def _sources(workspace: Workspace) -> Iterator[str]:
    """Every `.dvc` file that history holds, runs left out: what people put in cannot be made again."""
    shown = ("log", "--exclude=refs/exps/*", "--all", "-m", "--format=", "--raw", "--no-abbrev", "--no-renames")
    for line in git(workspace.root, *shown, "--", "*.dvc").splitlines():
        new = line.split(" ")[3] if line.startswith(":") else "0"
        if new.strip("0"):
            yield new


def _blobs(workspace: Workspace, names: list[str]) -> Iterator[bytes]:
    if names:
        yield git_bytes(workspace.root, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names))


def _files(tree: Path) -> Iterator[bytes]:
    """The same files of a working tree, as they are now."""
    named = git(tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc").split("\0")
    paths = [tree / "dvc.lock", *(tree / name for name in named if name), *tree.glob("data/*/inputs.json")]
    yield from (path.read_bytes() for path in dict.fromkeys(paths) if path.is_file())
