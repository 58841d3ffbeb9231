"""The worktree of one version's run: the tree as it stands, that version of the data, and what is known of it."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from flows.trees import LOCK, copy_small
from tunegate.data_versions.log import Tracked
from tunegate.dvc.project import Project
from tunegate.dvc.worktrees import bring_outs, merge_lock, share_cache
from tunegate.versions.git import file_at, files_at, git
from tunegate.versions.lineage import read_lock
from tunegate.versions.runs import Run, Snapshot, read_runs
from tunegate.workspace import Workspace, write_atomically

ENDED = ("passed", "refused", "undecided", "approved", "forced", "accepted")


@dataclass(frozen=True)
class Apart:
    """`found`: an earlier backfill had begun it."""

    workspace: Workspace
    found: bool

    @property
    def root(self) -> Path:
        return self.workspace.root

    @property
    def state(self) -> Path:
        """A state folder of its own: locks and checkpoints of one pipeline do not meet those of another run of it."""
        return self.root.with_name(f"{self.root.name}.state")

    @property
    def log(self) -> Path:
        return self.state / "backfill.log"

    @property
    def answer(self) -> Path:
        return self.state / "answer.json"


def prepare(workspace: Workspace, pipeline: str, before: Snapshot, version: Tracked) -> Apart:
    """Made, or found as an earlier backfill left it: then what it had finished stays."""
    folder = workspace.state / "worktrees" / f"backfill-{pipeline}-{version.hash[:12]}"
    tree = Workspace(folder.resolve())
    found = (folder / "dvc.yaml").is_file()
    made = _made(tree, pipeline) if found else {}
    if not found:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        git(workspace.root, "worktree", "prune")
        add = ("worktree", "add", "--detach", "--no-checkout", "--force", str(folder), str(before.head))
        git(workspace.root, "-c", "core.hooksPath=/dev/null", *add)
    folder.with_suffix(".lock").touch()  # by which `tunegate gc` knows it
    git(folder, "-c", "core.hooksPath=/dev/null", "read-tree", "--reset", "-u", before.tree)
    write_atomically(tree.raw(f"{version.data}.dvc"), version.tracked)
    apart = Apart(tree, found)
    apart.state.mkdir(exist_ok=True)
    apart.answer.unlink(missing_ok=True)
    share_cache(workspace, tree)
    if found:
        _put(tree, pipeline, made)
    else:
        _seed(workspace, tree, pipeline, version)
    return apart


def remove(workspace: Workspace, apart: Apart) -> None:
    """Its record and what it made stay."""
    shutil.rmtree(apart.root)
    git(workspace.root, "worktree", "prune")
    shutil.rmtree(apart.state, ignore_errors=True)
    apart.root.with_suffix(".lock").unlink(missing_ok=True)


def _made(tree: Workspace, pipeline: str) -> dict[str, bytes]:
    """What runs write of what git keeps, by path."""
    paths = [tree.root / LOCK, tree.inputs(pipeline), *tree.report(pipeline, "any").parent.glob("*")]
    return {tree.relative(path): path.read_bytes() for path in paths if path.is_file()}


def _put(tree: Workspace, pipeline: str, made: dict[str, bytes]) -> None:
    """That, and nothing else of its kind."""
    for name in _made(tree, pipeline):
        (tree.root / name).unlink()
    for name, content in made.items():
        write_atomically(tree.root / name, content)


def _seed(workspace: Workspace, tree: Workspace, pipeline: str, version: Tracked) -> None:
    """What the last run of this very data left, if there is one: so that what is unchanged since is not redone."""
    found = _run_of(workspace, pipeline, version)
    for name in _made(tree, pipeline):
        if name != LOCK:
            (tree.root / name).unlink()
    lock = file_at(workspace.root, found.commit, LOCK) if found else None
    if lock is not None or (tree.root / LOCK).is_file():
        merge_lock(tree, pipeline, (lock or b"").decode())
    if found is not None:
        copy_small(tree, pipeline, found)
    with closing(Project(tree)) as project:
        steps = project.steps([pipeline])
    bring_outs(tree, [step.address for step in steps])


def _run_of(workspace: Workspace, pipeline: str, version: Tracked) -> Run | None:
    runs = [run for run in read_runs(workspace, pipeline) if run.ended.status in ENDED]
    locks = files_at(workspace.root, [f"{run.commit}:{LOCK}" for run in runs])
    for run, content in zip(runs, locks, strict=True):
        if content is None or version.hash.encode() not in content:
            continue
        ingest = read_lock(content, pipeline, run.commit[:10]).get("ingest")
        if ingest is not None and ingest.read.get(f"data/raw/{version.data}") == version.hash:
            return run
    return None
