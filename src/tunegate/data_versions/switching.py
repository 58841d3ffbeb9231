"""The moment at which a new data version counts: folder, `.dvc` file and git commit change together or not at all.

Everything slow is done before (the files lie in DVC's cache, the new folder stands ready). What is left are an atomic
exchange of two folders, one small file and one commit; a failure in between undoes what was done, and what a killed
process or a power cut leaves is settled by the next command that looks (`settle`).
"""

import ctypes
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tunegate.dvc.tracking import CachedFolder
from tunegate.errors import UserError
from tunegate.versions.git import author, file_at, git
from tunegate.workspace import Workspace, write_atomically

AT_FDCWD = -100
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
SWAP = 2  # RENAME_SWAP of renamex_np(2), macOS


@dataclass(frozen=True)
class _Journal:
    """What was under way. `inode` is the new folder's, wherever it stands; `old` and `new` are texts of the `.dvc`."""

    name: str
    staged: str
    inode: int
    old: str
    new: str


def staging(workspace: Workspace, name: str) -> Path:
    """Where the next version of `data/raw/<name>` is put together; git ignores the state folder."""
    return workspace.state / "adding" / name


def switch(workspace: Workspace, name: str, staged: Path, entry: CachedFolder, message: str) -> str:
    """Make `staged` the content of `data/raw/<name>` and commit its `.dvc` file alone. Returns the commit.

    Raises UserError where git cannot commit; then everything is as before.
    """
    folder, tracked = workspace.raw(name), workspace.raw(f"{name}.dvc")
    _refuse_unfinished(workspace)
    staged = _on_same_disk(staged, folder)
    old = tracked.read_text(encoding="utf-8")
    journal = _Journal(name, str(staged), staged.stat().st_ino, old, entry.text(name))
    path = _journal(workspace, name)
    write_atomically(path, json.dumps(vars(journal)))
    try:
        exchange(staged, folder)
        write_atomically(tracked, journal.new)
        commit = _commit(workspace, tracked, message)
    except BaseException:
        settle(workspace)
        raise
    path.unlink()
    shutil.rmtree(staged)
    return commit


def settle(workspace: Workspace) -> list[str]:
    """Finish or undo what an interrupted command left: committed goes forward, anything else back. Names of data."""
    settled = []
    for path in sorted((workspace.state / "adding").glob("*.json")):
        journal = _Journal(**json.loads(path.read_text(encoding="utf-8")))
        committed = file_at(workspace.root, "HEAD", f"data/raw/{journal.name}.dvc") == journal.new.encode()
        folder, staged = workspace.raw(journal.name), Path(journal.staged)
        exchanged = folder.is_dir() and folder.stat().st_ino == journal.inode
        if committed != exchanged and staged.is_dir():
            exchange(staged, folder)
        write_atomically(workspace.raw(f"{journal.name}.dvc"), journal.new if committed else journal.old)
        path.unlink()
        shutil.rmtree(staged, ignore_errors=True)
        settled.append(journal.name)
    return settled


def exchange(one: Path, other: Path) -> None:
    """Two folders take each other's names at once, so that nobody ever sees neither. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    if sys.platform == "darwin":
        failed = library.renamex_np(os.fsencode(one), os.fsencode(other), SWAP)
    else:
        failed = library.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one), None, str(other))


def _journal(workspace: Workspace, name: str) -> Path:
    return workspace.state / "adding" / f"{name}.json"


def _refuse_unfinished(workspace: Workspace) -> None:
    for mark, what in (("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick"), ("rebase-merge", "rebase")):
        if Path(git(workspace.root, "rev-parse", "--path-format=absolute", "--git-path", mark).strip()).exists():
            raise UserError(f"A {what} of git is not finished here.", "Finish it, or give it up, then try again.")


def _on_same_disk(staged: Path, folder: Path) -> Path:
    """Exchanging needs one file system; where the state folder is on another one, the copy stands beside the data."""
    if staged.stat().st_dev == folder.stat().st_dev:
        return staged
    beside = folder.with_name(f".{folder.name}.staged")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(staged, beside)
    return beside


def _commit(workspace: Workspace, tracked: Path, message: str) -> str:
    """A commit of that file and nothing else, whatever else the person has staged; their hooks run."""
    root = workspace.root
    name = tracked.relative_to(root).as_posix()
    git(root, "add", "--intent-to-add", "--force", "--", name)
    git(root, "commit", "--quiet", "--only", "--message", message, "--", name, env=author(root))
    return git(root, "rev-parse", "HEAD").strip()
