"""Files by their hash, and the raw data of pipelines: from DVC's cache, else from its remotes."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunegate.dvc.failures import remote_failures
from tunegate.dvc.settings import open_repository
from tunegate.dvc.whole import forget_damaged
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace, fresh_folder

WRONG_BYTES = (ValueError, KeyError, TypeError)
"""What reading a folder's list of files raises where a byte of it came wrong."""


def pull_missing(workspace: Workspace, folders: Iterable[Path]) -> list[Path]:
    """Bring what is not there and has a `.dvc` file from its remote. Returns what was brought.

    Raises UserError where nothing tells DVC what the folder holds, OutsideError where no remote has it.
    """
    missing = [folder for folder in folders if not folder.exists()]
    if not missing:
        return []
    for folder in missing:
        if not _tracked_by(folder).is_file():
            raise _unknown(workspace, folder)
    repository = open_repository(workspace)
    try:
        for folder in missing:
            _pull(workspace, repository, folder)
    finally:
        repository.close()
    return missing


def _pull(workspace: Workspace, repository: Any, folder: Path) -> None:
    from dvc_objects.errors import ObjectFormatError

    name = workspace.relative(folder)
    tracked = str(_tracked_by(folder))
    try:
        repository.pull([tracked])
        outs = [out for stage in repository.index.stages if stage.path == tracked for out in stage.outs]
        if forget_damaged(repository, outs):
            repository.pull([tracked], force=True)
    except (*remote_failures(), ObjectFormatError, *WRONG_BYTES) as error:
        _forget_seen(repository)
        raise OutsideError(
            f"{name} is not here, and DVC could not bring it: {error}.",
            f"Check the remote that {name}.dvc names (`dvc remote list`), or restore the folder from your own copy.",
        ) from error


def _forget_seen(repository: Any) -> None:
    """What DVC noted of remotes: from a list with a wrong byte, it would stand in the way of every later try."""
    from dvc_data.hashfile.db import get_index

    for name in repository.config["remote"]:
        with suppress(*remote_failures()):
            get_index(repository.cloud.get_remote_odb(name, "pull")).clear()
    repository.drop_data_index()


def _tracked_by(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.dvc")


def _unknown(workspace: Workspace, folder: Path) -> UserError:
    name = workspace.relative(folder)
    if folder.is_relative_to(workspace.root / "data" / "models"):
        remedy = f"Bring the base model once with `tunegate models add {folder.name} ...`."
    else:
        remedy = f"Put the files there and run `dvc add {name}`, or bring them with `tunegate data fetch`."
    return UserError(f"{name} is missing, and there is no {name}.dvc that says where it is kept.", remedy)


def fetch(workspace: Workspace, hash_value: str, names: Sequence[str], place: Path | None = None) -> Path:
    """The folder `<hash>` in `place` (default: the state folder's `references`) with those files of a folder hash
    (`....dir`) of DVC's.

    Raises OutsideError when neither the cache nor the default remote has them.
    """
    target = (place or workspace.state / "references") / hash_value
    if all((target / name).is_file() for name in names):
        return target
    repository = open_repository(workspace)
    try:
        with fresh_folder(target) as folder:
            for name, source in _objects(repository, hash_value, names).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / name)
    finally:
        repository.close()
    return target


def fetch_folder(workspace: Workspace, hash_value: str, remote: str | None = None) -> Path:
    """The folder `references/<hash>` with all files of a folder hash; `remote` is the one that its `.dvc` file names.

    Raises OutsideError when neither the cache nor the remote has them.
    """
    target = workspace.state / "references" / f"{hash_value}.whole"
    if target.is_dir():
        return target
    repository = open_repository(workspace)
    try:
        with fresh_folder(target) as folder:
            for name, source in _objects(repository, hash_value, None, remote).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / name)
    finally:
        repository.close()
    return target


def _objects(
    repository: Any, hash_value: str, names: Sequence[str] | None, remote: str | None = None
) -> dict[str, str]:
    """File name to its path in the cache, brought there from the remote where it is missing; no names: every file."""
    from dvc_data.hashfile import load
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_objects.errors import ObjectFormatError

    folder, cache = HashInfo("md5", hash_value), repository.cache.local
    try:
        _bring(repository, [folder], remote)
        files = {"/".join(key): file for key, _, file in load(cache, folder)}
        wanted = files if names is None else {name: files[name] for name in names}
        _bring(repository, wanted.values(), remote)
    except (*remote_failures(), ObjectFormatError, *WRONG_BYTES) as error:
        raise OutsideError(
            f"The files with the hash {hash_value} are neither in DVC's cache nor in its default remote: {error}.",
            "Push them with `dvc push` from the machine that made them, then run again.",
        ) from error
    return {name: cache.oid_to_path(file.value) for name, file in wanted.items()}


def _bring(repository: Any, hashes: Iterable[Any], remote: str | None = None) -> None:
    """Raises FileNotFoundError for an object that is still missing afterwards, ObjectFormatError for a damaged one."""
    hashes, cache = list(hashes), repository.cache.local
    missing = {each for each in hashes if not cache.exists(each.value)}
    if missing:
        repository.cloud.pull(missing, remote=remote)
    for each in hashes:
        cache.check(each.value)
