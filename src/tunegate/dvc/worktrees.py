"""DVC in a git worktree: the main tree's cache and remotes, and just the files that one stage reads."""

import logging
import shutil
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from tunegate.dvc.failures import remote_failures
from tunegate.dvc.project import Step
from tunegate.dvc.settings import open_repository
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace, write_atomically


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


def forget(tree: Workspace) -> None:
    """Take away what DVC keeps of the worktree outside it, by its path and time of birth: no other will have both."""
    repository = open_repository(tree)
    try:
        place = Path(repository.site_cache_dir)
    finally:
        repository.close()
    shutil.rmtree(place, ignore_errors=True)


def bring_inputs(tree: Workspace, step: Step) -> None:
    """Check out what other stages made and this one reads, from the cache, else from its remote.

    Raises OutsideError where neither has it, UserError where the tree has no such stage.
    """
    repository = open_repository(tree)
    try:
        stage = next((each for each in repository.index.stages if each.cmd and each.name == step.address), None)
        if stage is None:
            raise UserError(f"dvc.yaml has no stage {step.address}.", "Look at the commit's dvc.yaml.")
        outs = {Path(out.fs_path) for each in repository.index.stages for out in each.outs if out.use_cache}
        read = [Path(entry.fs_path) for entry in stage.deps]
        wanted = [str(path) for path in read if any(path.is_relative_to(out) for out in outs)]
        repository.pull(wanted)
    except remote_failures() as error:
        raise OutsideError(
            f"The files that {step.address} reads are neither in DVC's cache nor in its remote: {error}.",
            "Run `tunegate push` on the machine that made them, then try again.",
        ) from error
    finally:
        repository.close()


def merge_lock(tree: Workspace, pipeline: str, other: str) -> None:
    """Write the pipeline's entries of another dvc.lock into the tree's own, in place of those that it had."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 4096  # DVC writes no folded lines
    path = tree.root / "dvc.lock"
    document = yaml.load(path.read_text(encoding="utf-8")) if path.is_file() else None
    document = document or {"schema": "2.0", "stages": {}}
    known = yaml.load(other) or {}
    stages = {name: entry for name, entry in document["stages"].items() if not _is_of(name, pipeline)}
    stages |= {name: entry for name, entry in (known.get("stages") or {}).items() if _is_of(name, pipeline)}
    document["stages"] = stages
    text = StringIO()
    yaml.dump(document, text)
    write_atomically(path, text.getvalue())


def bring_outs(tree: Workspace, addresses: Sequence[str]) -> None:
    """Check out what dvc.lock says that these steps made; what the cache lacks is made again by whoever needs it."""
    from dvc.exceptions import DvcException

    repository = open_repository(tree)
    logging.getLogger("dvc").setLevel(logging.ERROR)
    try:
        made = [stage for stage in repository.index.stages if stage.cmd and stage.name in addresses]
        outs = [str(out.fs_path) for stage in made for out in stage.outs if out.use_cache and out.hash_info]
        if outs:
            repository.checkout(outs, force=True, allow_missing=True)
    except DvcException as error:
        raise OutsideError(
            f"DVC could not check out what the last run made: {error}.", "Look at its cache, then try again."
        ) from error
    finally:
        repository.close()


def _is_of(name: str, pipeline: str) -> bool:
    return name.partition("@")[2] == pipeline
