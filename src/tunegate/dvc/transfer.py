"""Objects by their hash, to and from DVC's default remote, whatever commit names them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunegate.dvc.failures import remote_failures
from tunegate.dvc.settings import STORE, open_repository
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace


@dataclass(frozen=True)
class Moved:
    """Objects (files and folder listings) that went or came, and folders or files that the giving side lacks."""

    objects: int
    missing: tuple[str, ...] = ()
    cut: int = 0  # that the remote had half of, after a power cut, and has whole now


def push_objects(workspace: Workspace, hashes: Iterable[str]) -> Moved:
    """Send what is in the cache, folders with all their files. Raises OutsideError where the remote takes it not."""
    with _repository(workspace) as repository:
        there, missing = _expanded(repository, hashes)
        cut = _forget_cut(repository, there)
        done = repository.cloud.push(there)
        if done.failed:
            raise OutsideError(
                f"{len(done.failed)} of {len(there)} objects did not get to DVC's default remote.",
                "Look at the remote (`dvc remote list`), then push again: what went need not go again.",
            )
        return Moved(len(done.transferred), tuple(missing), cut)


def _forget_cut(repository: Any, objects: set[Any]) -> int:
    """Take half an object out of a remote that is a folder: DVC would take it for sent. Others write whole or not."""
    from dvc_data.hashfile.db import get_index

    remote, cache = repository.cloud.get_remote_odb(None, "push"), repository.cache.local
    if remote.fs.protocol != "local":
        return 0
    pairs = [(Path(remote.oid_to_path(each.value)), Path(cache.oid_to_path(each.value))) for each in objects]
    cut = [there for there, here in pairs if there.is_file() and there.stat().st_size != here.stat().st_size]
    for path in cut:
        path.unlink()
    if cut:
        get_index(remote).clear()  # which remembers what the remote has
    return len(cut)


def fetch_objects(workspace: Workspace, hashes: Iterable[str]) -> Moved:
    """Bring what is not in the cache, folders with all their files."""
    wanted = list(dict.fromkeys(hashes))
    with _repository(workspace) as repository:
        from dvc_data.hashfile.hash_info import HashInfo

        absent = {HashInfo("md5", value) for value in wanted if not repository.cache.local.exists(value)}
        came = _pull(repository, absent)
        there, missing = _expanded(repository, wanted)
        inside = {each for each in there if not repository.cache.local.exists(each.value)}
        came += _pull(repository, inside)
        gone = [each.value for each in inside if not repository.cache.local.exists(each.value)]
        return Moved(came, (*missing, *gone))


def is_private(workspace: Workspace) -> bool:
    """Whether the default remote is the one in this clone's own state folder, which nobody else reads."""
    with _repository(workspace) as repository:
        return bool(repository.config["core"].get("remote") == STORE)


@contextmanager
def _repository(workspace: Workspace) -> Iterator[Any]:
    repository = open_repository(workspace)
    try:
        yield repository
    except remote_failures() as error:
        raise OutsideError(
            f"DVC's default remote cannot be had: {error}.", "Look at it (`dvc remote list`), then try again."
        ) from error
    finally:
        repository.close()


def _pull(repository: Any, objects: Any) -> int:
    return len(repository.cloud.pull(objects).transferred) if objects else 0


def _expanded(repository: Any, hashes: Iterable[str]) -> tuple[set[Any], list[str]]:
    """Everything that is in the cache, a folder's files beside its listing; and what is not there."""
    from dvc_data.hashfile import load
    from dvc_data.hashfile.hash_info import HashInfo

    cache, there, missing = repository.cache.local, set(), []
    for value in dict.fromkeys(hashes):
        entry = HashInfo("md5", value)
        if not cache.exists(value):
            missing.append(value)
            continue
        there.add(entry)
        if entry.isdir:
            there |= {file for _, _, file in load(cache, entry)}
    return there, missing
