"""The clone in which a worker works: the one it is started in, or one of its own."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from tunegate.errors import UserError
from tunegate.versions.git import remote
from tunegate.workspace import Workspace

REPOSITORY = "TUNEGATE_REPOSITORY"
CLONE = "TUNEGATE_CLONE"  # set by `tunegate worker` for the flows that it starts; others are started in the clone


def clone_here(say: Callable[[str], None]) -> Workspace:
    """The clone around the current folder; where TUNEGATE_REPOSITORY names a repository, a clone of that, kept up to
    date in the user's cache folder.

    Raises UserError where there is neither, OutsideError where the repository cannot be had.
    """
    address = os.environ.get(REPOSITORY)
    if not address:
        try:
            return Workspace.find()
        except UserError as error:
            raise UserError(
                error.problem,
                f"Change into a clone of the project, or set {REPOSITORY} to its git address: a worker makes its own.",
            ) from error
    folder = _place(address)
    if (folder / ".git").is_dir():
        remote(folder, "pull", "--quiet", "--ff-only")
    else:
        say(f"cloning {address} to {folder}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        remote(folder.parent, "clone", "--quiet", address, str(unfinished))
        unfinished.rename(folder)
    return Workspace.find(folder)


def _place(address: str) -> Path:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "tunegate" / hashlib.sha256(address.encode()).hexdigest()[:16]
