"""DVC's objects read and hashed again, from the cache, else from a remote: nothing is brought, believed or mended.

DVC itself takes what lies in its cache for what its name says (and deletes what it finds damaged); this only looks.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tunegate.dvc.failures import remote_failures
from tunegate.dvc.settings import open_repository
from tunegate.errors import OutsideError
from tunegate.workspace import Workspace

BLOCK = 1 << 20  # bytes read at a time: memory stays flat for weights of any size
FOLDER = ".dir"


@dataclass(frozen=True)
class Content:
    """What an object really holds. `place` is "DVC's cache" or the remote's name in words."""

    place: str
    md5: str
    sha256: str


class MissingObjectError(Exception):
    """Neither the cache nor the remote has the object."""


class Objects:
    """The cache and the remotes of a workspace, opened once. Use as a context manager."""

    def __init__(self, workspace: Workspace) -> None:
        self._repository = open_repository(workspace)
        self._remotes: dict[str | None, Any] = {}
        self._known: dict[tuple[str, str | None], Content] = {}  # one object often stands at several places
        self.hashed_files = 0
        self.hashed_bytes = 0

    def __enter__(self) -> "Objects":
        return self

    def __exit__(self, *_: object) -> None:
        self._repository.close()

    def content(self, oid: str, remote: str | None = None) -> Content:
        """The object's real hashes; `remote` is the one that its `.dvc` file names.

        Raises MissingObjectError, and OutsideError where the remote cannot be had.
        """
        if (oid, remote) not in self._known:
            self._known[oid, remote] = self._hashed(oid, remote)
        return self._known[oid, remote]

    def _hashed(self, oid: str, remote: str | None) -> Content:
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        with self._open(oid, remote) as (place, file):
            while block := file.read(BLOCK):
                md5.update(block)
                sha256.update(block)
                self.hashed_bytes += len(block)
        self.hashed_files += 1
        return Content(place, md5.hexdigest(), sha256.hexdigest())

    def read(self, oid: str, remote: str | None = None) -> bytes:
        """A small object whole, as it is. Raises as `content`."""
        with self._open(oid, remote) as (_, file):
            return file.read()

    def look(self) -> None:
        """Raises OutsideError where the default remote cannot be had."""
        try:
            store = self._remote(None)
            store.fs.info(store.path)  # to fsspec's `exists` a server that is gone is a file that is not there
        except FileNotFoundError:
            return  # nothing has been pushed there yet
        except remote_failures() as error:
            raise self._unreadable(None, error) from error

    def listing(self, oid: str, remote: str | None = None) -> dict[str, str]:
        """Of a folder's object: file name to MD5. Raises as `content`, ValueError for a damaged one."""
        found = json.loads(self.read(oid, remote))
        return {str(entry["relpath"]): str(entry["md5"]) for entry in found}

    @contextmanager
    def _open(self, oid: str, remote: str | None) -> Iterator[tuple[str, IO[bytes]]]:
        cached = Path(self._repository.cache.local.oid_to_path(oid))
        if cached.is_file():
            with cached.open("rb") as file:
                yield "DVC's cache", file
            return
        try:
            store = self._remote(remote)
            path = store.oid_to_path(oid)
            if not store.fs.exists(path):
                raise MissingObjectError(oid)
            with store.fs.open(path, "rb") as file:
                yield f"the DVC remote {remote or self.default}", file
        except remote_failures() as error:
            raise self._unreadable(remote, error) from error

    def _unreadable(self, remote: str | None, error: Exception) -> OutsideError:
        return OutsideError(
            f"The DVC remote {remote or self.default} cannot be read: {error}.",
            "Look at `dvc remote list` and at the connection, then try again.",
        )

    def _remote(self, name: str | None) -> Any:
        if name not in self._remotes:
            self._remotes[name] = self._repository.cloud.get_remote_odb(name, "fetch")
        return self._remotes[name]

    @property
    def default(self) -> str:
        """The default remote's name."""
        return str(self._repository.config["core"].get("remote") or "store")
