"""DVC in a git worktree: the main tree's cache and remotes, and just the files that one stage reads."""

from pathlib import Path

from tunegate.dvc.project import Step
from tunegate.dvc.settings import open_repository
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace


def share_cache(main: Workspace, tree: Workspace) -> None:
    """Write the worktree's `.dvc/config.local`: the main tree's own settings, and its cache by absolute path."""
    from dvc.config import Config

    repository = open_repository(main)
    try:
        local = repository.config.load_one("local")
        cache = Path(repository.cache.local_cache_dir).resolve()
    finally:
        repository.close()
    with Config(dvc_dir=str(tree.root / ".dvc"), validate=False).edit("local", validate=False) as settings:
        settings.update(local)
        settings["cache"] = {**settings.get("cache", {}), "dir": str(cache)}


def bring_inputs(tree: Workspace, step: Step) -> None:
    """Check out what other stages made and this one reads, from the cache, else from its remote.

    Raises OutsideError where neither has it, UserError where the tree has no such stage.
    """
    from dvc.exceptions import DvcException

    repository = open_repository(tree)
    try:
        stage = next((stage for stage in repository.index.stages if stage.name == step.address), None)
        if stage is None:
            raise UserError(f"dvc.yaml has no stage {step.address}.", "Look at the commit's dvc.yaml.")
        outs = {Path(out.fs_path) for each in repository.index.stages for out in each.outs if out.use_cache}
        read = [Path(entry.fs_path) for entry in stage.deps]
        wanted = [str(path) for path in read if any(path.is_relative_to(out) for out in outs)]
        repository.pull(wanted)
    except DvcException as error:
        raise OutsideError(
            f"The files that {step.address} reads are neither in DVC's cache nor in its remote: {error}.",
            "Run `tunegate push` on the machine that made them, then try again.",
        ) from error
    finally:
        repository.close()
