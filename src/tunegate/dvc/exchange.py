"""One stage handed between machines: what it reads and makes, as hashes, and its entry in dvc.lock.

The machine that asks and the one that works see the same commit, so that both come to the same `key` of the work.
"""

import logging
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.dvc.project import Step
from tunegate.dvc.run_cache import hash_of_entry
from tunegate.dvc.settings import open_repository
from tunegate.dvc.transfer import fetch_objects
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace

Entry = dict[str, Any]
"""A stage in dvc.lock: its command, and hashes and settings of what it read and made."""


@dataclass(frozen=True)
class Work:
    """A stage to be run on the inputs of now."""

    key: str  # DVC's own hash of command, inputs and settings, by which its run cache goes
    restorable: bool  # a run before made the same, and its files are in the cache
    reads: tuple[str, ...]  # hashes of outputs, data and models that hold what it reads; none of a remote of its own


def work_of(workspace: Workspace, step: Step) -> Work:
    """Raises UserError where the tree has no such stage, or an input is missing."""
    from dvc.exceptions import DvcException

    with _stage(workspace, step) as (repository, stage):
        try:
            stands = not stage.changed_stage() and stage.deps_cached() and all(out.hash_info for out in stage.outs)
            known = stands and stage.outs_cached()
            stage.save_deps()
            found = repository.stage_cache._load(stage)
            if found is not None:
                known = known or repository.stage_cache._create_stage(found, wdir=stage.wdir).outs_cached()
            return Work(_key(stage), bool(known), tuple(_holding(repository, stage)))
        except DvcException as error:
            raise UserError(
                f"The files that {step.address} reads are not all here: {error}.", "Run the stages before it."
            ) from error


def _key(stage: Any) -> str:
    from dvc.stage.serialize import to_single_stage_lockfile

    return key_of(to_single_stage_lockfile(stage))


def _holding(repository: Any, stage: Any) -> Iterator[str]:
    outs = {Path(out.fs_path): out for each in repository.index.stages for out in each.outs if out.use_cache}
    for dependency in stage.deps:
        path = Path(dependency.fs_path)
        for place, out in outs.items():
            if path.is_relative_to(place) and out.hash_info and not out.remote:
                yield str(out.hash_info.value)


def entry_in(lock: bytes, step: Step) -> Entry:
    """The step's entry in a dvc.lock. Raises OutsideError where it has none: somebody else wrote it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return dict(YAML(typ="safe").load(lock)["stages"][step.address])
    except (YAMLError, KeyError, TypeError) as error:
        raise OutsideError(
            f"The answer of the worker has no entry for {step.address} in its dvc.lock.", "Run again."
        ) from error


def made(entry: Entry) -> list[str]:
    """Hashes of everything that the stage made, small reports too."""
    return list(dict.fromkeys(str(out["md5"]) for out in entry.get("outs", ())))


def take(workspace: Workspace, step: Step, entry: Entry, key: str) -> None:
    """Bring what the stage made elsewhere, put it in its place, and write it down in dvc.lock and the run cache.

    Raises OutsideError where the entry is of other inputs than `key`, or its files cannot be had.
    """
    if key_of(entry) != key:
        raise OutsideError(
            f"The worker ran {step.address} on other inputs than it was asked for.",
            "Look at its versions of git and DVC, then run again.",
        )
    if lacking := fetch_objects(workspace, made(entry)).missing:
        raise OutsideError(
            f"{len(lacking)} files that {step.address} made on its worker are not in DVC's default remote.",
            "Look at the remote (`dvc remote list`) on both machines, then run again.",
        )
    _put(workspace, step, entry)


def key_of(entry: Entry) -> str:
    """The key of the work whose entry this is."""
    return hash_of_entry({**entry}, key=True)


def _put(workspace: Workspace, step: Step, entry: Entry) -> None:
    from dvc.exceptions import DvcException
    from dvc.stage.loader import StageLoader

    logging.getLogger("dvc").setLevel(logging.WARNING)  # what it writes where, is said by the run
    with _stage(workspace, step) as (repository, stage):
        try:
            finished = repository.stage_cache._create_stage(entry, wdir=stage.wdir)
            with repository.stage_cache._cache_type_copy():
                finished.checkout(force=True)
            StageLoader.fill_from_lock(stage, entry)
            repository.scm_context.quiet = True
            stage.ignore_outs()  # as a run here does: git must never keep them
            stage.dump(update_pipeline=False)
            _remember(repository.stage_cache, entry)
        except DvcException as error:
            raise OutsideError(
                f"What {step.address} made on its worker cannot be put in its place: {error}.",
                "Look at the disk and at what has the files open, then run again.",
            ) from error


def _remember(cache: Any, entry: Entry) -> None:
    """In DVC's run cache, as a run here would be: going back to these inputs restores it."""
    from dvc.utils.serialize import dump_yaml

    path = Path(cache._get_cache_path(key_of(entry), hash_of_entry(entry)))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    dump_yaml(str(unfinished), entry)
    unfinished.replace(path)


@contextmanager
def _stage(workspace: Workspace, step: Step) -> Iterator[tuple[Any, Any]]:
    """DVC's stage in a repository opened for it, under DVC's lock, in the folder where DVC looks for dvc.yaml."""
    repository = open_repository(workspace)
    try:
        with chdir(workspace.root), repository.lock:
            stage = next((each for each in repository.index.stages if each.name == step.address), None)
            if stage is None:
                raise UserError(f"dvc.yaml has no stage {step.address}.", "Look at the commit's dvc.yaml.")
            yield repository, stage
    finally:
        repository.close()
