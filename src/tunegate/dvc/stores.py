"""DVC's cache and its remotes as places that hold objects: what lies there, how large and how old, and taking it out.

What is still needed is the caller's to know. DVC's own `gc` would open every commit of every run anew, empty the
example's read-only remote too, and lose raw data that only an older commit names.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tunegate.dvc.objects import FOLDER
from tunegate.dvc.settings import STORE, open_repository
from tunegate.errors import OutsideError, UserError
from tunegate.workspace import Workspace

OID = re.compile(r"[0-9a-f]{32}(\.dir)?")
TIMES = ("mtime", "LastModified", "last_modified", "modified", "created")  # as fsspec's file systems name them
OUTS = re.compile(r"^outs:\n((?:[ -].*\n?)*)", re.MULTILINE)
MD5 = re.compile(r"\bmd5: ([0-9a-f]{32}(?:\.dir)?)")


@dataclass(frozen=True)
class Lying:
    """One file of a place. `oid` is empty for what a broken transfer left; `written` None where nobody tells."""

    oid: str
    path: str
    bytes: int
    written: float | None  # seconds since the epoch

    def younger_than(self, moment: float) -> bool:
        """One of unknown age counts as young."""
        return self.written is None or self.written > moment


class Place:
    """The cache, or one remote. Raises OutsideError where a remote cannot be had."""

    def __init__(self, store: Any, name: str) -> None:
        self._store = store
        self.name = name

    def files(self) -> list[Lying]:
        with _said(self.name):
            return list(self._local() if _is_local(self._store) else self._elsewhere())

    def listing(self, oid: str) -> list[str] | None:
        """The objects of a folder's files; None where the folder's own object is not here. Raises UserError."""
        with _said(self.name):
            path = self._store.oid_to_path(oid)
            if not self._store.fs.exists(path):
                return None
            with self._store.fs.open(path, "rb") as file:
                content = file.read()
        try:
            return [str(entry["md5"]) for entry in json.loads(content)]
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self.name} holds a damaged list of files, {oid}, so what it names cannot be told.",
                "Find out whose it is with `tunegate versions verify`, and bring it back from a whole copy.",
            ) from error

    def remove(self, files: Sequence[Lying]) -> None:
        """Lists of files first: a list whose files are gone would be taken for a whole folder."""
        with _said(self.name):
            for group in ([file for file in files if file.oid.endswith(FOLDER)],
                          [file for file in files if not file.oid.endswith(FOLDER)]):  # fmt: skip
                if group:
                    self._store.fs.remove([file.path for file in group])
            if self.name != CACHE:
                from dvc_data.hashfile.db import get_index

                get_index(self._store).clear()  # which remembers what the remote has

    def _local(self) -> Iterator[Lying]:
        root = Path(self._store.path)
        for folder in sorted(root.glob("[0-9a-f][0-9a-f]")):
            for entry in os.scandir(folder):
                found = entry.stat()  # ctime: a file keeps its mtime when it is moved into the cache
                yield Lying(_oid(folder.name + entry.name), entry.path, found.st_size, found.st_ctime)

    def _elsewhere(self) -> Iterator[Lying]:
        for path, info in self._store.fs.fs.find(str(self._store.path), detail=True).items():
            yield Lying(_oid("".join(path.split("/")[-2:])), path, int(info.get("size") or 0), _written(info))


CACHE = "DVC's cache"


class Stores:
    """The cache and, where it is asked for, a remote. Use as a context manager."""

    def __init__(self, workspace: Workspace) -> None:
        self._repository = open_repository(workspace)
        self.cache = Place(self._repository.cache.local, CACHE)
        self.cache_folder = Path(self._repository.cache.local_cache_dir).resolve()
        self.default = str(self._repository.config["core"].get("remote") or STORE)

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        self._repository.close()

    def remote(self, name: str | None) -> Place:
        """The default one, or one by name. Raises UserError where there is none of that name."""
        from dvc.exceptions import DvcException

        try:
            return Place(self._repository.cloud.get_remote_odb(name, "gc"), f"the DVC remote {name or self.default}")
        except DvcException as error:
            raise UserError(f"The DVC remote {name or self.default}: {error}.", "See `dvc remote list`.") from error

    def made_before(self) -> list[tuple[Path, frozenset[str]]]:
        """The run cache: each entry with the objects that it would restore."""
        folder = Path(self._repository.cache.legacy.path) / "runs"
        found = []
        for path in sorted(folder.glob("*/*/*")):
            outs = OUTS.search(path.read_text(encoding="utf-8", errors="replace"))
            found.append((path, frozenset(MD5.findall(outs[1] if outs else ""))))
        return found


def _oid(name: str) -> str:
    return name if OID.fullmatch(name) else ""


def _is_local(store: Any) -> bool:
    return str(store.fs.protocol) in ("local", "file")


def _written(info: dict[str, Any]) -> float | None:
    told: Any = next((info[name] for name in TIMES if info.get(name) is not None), None)
    if isinstance(told, datetime):
        return told.timestamp()
    if isinstance(told, str):
        try:
            return datetime.fromisoformat(told).timestamp()
        except ValueError:
            return None
    return None if told is None else float(told)


@contextmanager
def _said(name: str) -> Iterator[None]:
    from dvc.exceptions import DvcException

    try:
        yield
    except (DvcException, OSError) as error:
        raise OutsideError(
            f"{name[0].upper()}{name[1:]} cannot be had: {error}.", "Look at it (`dvc remote list`), then try again."
        ) from error


def with_files(oids: Iterable[str], places: Sequence[Place]) -> frozenset[str]:
    """The objects and, of folders, their files', as far as one of the places has the folder's list."""
    needed = set(oids)
    for oid in [each for each in needed if each.endswith(FOLDER)]:
        inside = next((found for place in places if (found := place.listing(oid)) is not None), [])
        needed.update(inside)
    return frozenset(needed)
