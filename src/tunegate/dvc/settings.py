"""Where DVC keeps its own files: inside the project's state folder, unless the user said otherwise."""

import os
from pathlib import Path
from typing import Any

from tunegate.errors import UserError
from tunegate.workspace import Workspace

STORE = "store"  # the default remote, until the user names S3, SSH, ...


def prepare(workspace: Workspace) -> None:
    """Set the environment that DVC reads. Raises UserError where DVC could not work at all."""
    if not (workspace.root / ".git").exists():
        raise UserError(
            f"{workspace.root} is not a git repository, and DVC keeps its versions beside git's.",
            "Get the project with `git clone` (not as a zip), or run `git init` in it once.",
        )
    if not (workspace.root / ".dvc").is_dir():
        raise UserError(f"{workspace.root} has no folder .dvc.", "Restore it with `git checkout .dvc`.")
    os.environ.setdefault("DVC_SITE_CACHE_DIR", str(workspace.state / "dvc"))
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")


def open_repository(workspace: Workspace) -> Any:
    """DVC's own repository object; it waits where another process holds DVC's lock."""
    prepare(workspace)
    from dvc.repo import Repo

    from tunegate.dvc.leftovers import clear_leftovers
    from tunegate.dvc.run_cache import tell_settings_apart
    from tunegate.dvc.streams import follow_streams

    follow_streams()
    tell_settings_apart()
    repository = Repo(str(workspace.root), _wait_for_lock=True)
    clear_leftovers(repository)
    _name_default_remote(repository, workspace)
    for remote in repository.config["remote"].values():
        remote["verify"] = True  # what comes from it is hashed: DVC would believe it otherwise
    return repository


def _name_default_remote(repository: Any, workspace: Workspace) -> None:
    """`store` under the state folder, absolute: a relative one would land in each worktree's own copy."""
    url = str(workspace.state / STORE)
    team = repository.config.load_one("repo").get("core", {}).get("remote")
    if team and repository.config.load_one("local").get("core", {}).get("remote") == STORE:
        with repository.config.edit("local") as local:  # named since: ours was for as long as nobody said anything
            del local["core"]["remote"]
    named = repository.config["core"].get("remote")
    known = repository.config["remote"].get(STORE, {}).get("url")
    moved = named == STORE and known is not None and Path(known).is_absolute() and not Path(known).exists()
    if named and not moved:
        return
    Path(url).mkdir(parents=True, exist_ok=True)
    with repository.config.edit("local") as local:
        local.setdefault("remote", {})[STORE] = {"url": url, "verify": True}
        local.setdefault("core", {})["remote"] = STORE
