"""What lies under `.tunegate/` and is of no use any more: references, checkpoints, downloads, worktrees, Bentos."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tunegate.bento import bento_home
from tunegate.errors import UserError
from tunegate.pipelines import pipelines_of
from tunegate.versions.git import git
from tunegate.workspace import Workspace

FOLDER_HASH = re.compile(r"[0-9a-f]{32}\.dir")


@dataclass(frozen=True)
class Folder:
    """One that may go, with everything in it."""

    path: Path
    bytes: int


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.lstat().st_size
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(path) for name in names)  # noqa: PTH118


def references(workspace: Workspace, trees: Iterable[Path]) -> list[Folder]:
    """Those that no working tree's inputs name: they come again from DVC's cache or remote."""
    named = {
        found
        for tree in trees
        for path in tree.glob("data/*/inputs.json")
        for found in FOLDER_HASH.findall(path.read_text(encoding="utf-8"))
    }
    return _folders(
        path for path in (workspace.state / "references").glob("*") if path.name.lstrip(".")[:36] not in named
    )


def checkpoints(workspace: Workspace, young: float) -> list[Folder]:
    """Of trainings that nobody goes on with: of pipelines that are gone, and all but a pipeline's newest."""
    try:
        known = set(pipelines_of(workspace))
    except UserError:  # a slip in params.yaml is no reason to lose a training
        return []
    gone: list[Path] = []
    for pipeline in sorted((workspace.state / "checkpoints").glob("*")):
        trainings = sorted(pipeline.iterdir(), key=_newest)
        gone += [path for path in (trainings[:-1] if pipeline.name in known else trainings) if _newest(path) <= young]
    return _folders(gone)


def downloads(workspace: Workspace, young: float) -> list[Folder]:
    """That broke off, and that nobody went on with; one that is going on writes all the time."""
    return _folders(path for path in sorted((workspace.state / "downloads").glob("*")) if _newest(path) <= young)


def _newest(folder: Path) -> float:
    return max((path.stat().st_mtime for path in (folder, *folder.rglob("*"))), default=0.0)


def remove_checkpoint(path: Path) -> None:
    """With its pipeline's folder, where it was the last."""
    shutil.rmtree(path)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def bentos(workspace: Workspace, kept: frozenset[str], young: float) -> list[Folder]:
    """Of the store's mirror, what is neither in `kept` nor new. A store of the person's own is not looked at."""
    home = bento_home(workspace)
    if not home.resolve().is_relative_to(workspace.state):
        return []
    found = [path.parent for path in (home / "bentos").glob("*/*/bento.yaml")]
    return _folders(
        path for path in found if f"{path.parent.name}:{path.name}" not in kept and path.stat().st_mtime <= young
    )


def remove_bento(path: Path) -> None:
    """With BentoML's note of the latest one set to what is left."""
    shutil.rmtree(path)
    left = sorted(path.parent.glob("*/bento.yaml"), key=lambda each: each.stat().st_mtime)
    if left:
        (path.parent / "latest").write_text(left[-1].parent.name, encoding="utf-8")
    else:
        shutil.rmtree(path.parent)


def abandoned_worktrees(workspace: Workspace, young: float) -> list[Folder]:
    """What killed decisions, rebuilds and backfills left: nobody holds their lock, and nobody went on with them."""
    found = []
    for lock in sorted((workspace.state / "worktrees").glob("*.lock")):
        folder = lock.with_suffix("")
        if folder.is_dir() and not _held(lock) and folder.stat().st_mtime <= young:
            found += [path for path in (folder, folder.with_name(f"{folder.name}.state")) if path.is_dir()]
    return _folders(found)


def remove_worktree(workspace: Workspace, path: Path) -> None:
    shutil.rmtree(path)
    git(workspace.root, "worktree", "prune")


def _held(lock: Path) -> bool:
    with lock.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _folders(paths: Iterable[Path]) -> list[Folder]:
    return [Folder(path, size_of(path)) for path in sorted(paths)]


def packaged_in(tree: Path) -> Iterator[str]:
    """Tags of the Bentos that a working tree's runs packaged last."""
    for path in tree.glob("reports/*/package.json"):
        try:
            yield str(json.loads(path.read_text(encoding="utf-8"))["tag"])
        except (ValueError, KeyError):
            continue
